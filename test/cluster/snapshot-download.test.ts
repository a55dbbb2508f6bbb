import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createRaftdEngine } from "../../src/cluster/raftd-engine.js";
import { OperatorError } from "../../src/errors.js";
import type { SnapshotManifest } from "../../src/storage/snapshots/snapshot-store.js";
import { type AdminNode, startAdminNode } from "../daemon/admin/admin-node.js";
import { descriptionOf } from "../storage/snapshots/samples.js";

const engine = createRaftdEngine();
const options = { timeoutMs: 2_000 };
const content = Buffer.from("the state of the cluster".repeat(50_000));
const manifest: SnapshotManifest = {
	...descriptionOf(9, { createdAtMs: 77 }),
	...{ id: "s9", fileBytes: content.length, contentBytes: 1, sha256: "00" },
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

async function nodeWith(): Promise<{ id: string; admin: string }> {
	const admin: AdminNode = await startAdminNode("leader", {
		list: () => [manifest],
		open: async (index) =>
			index === manifest.index
				? {
						manifest,
						readAt: async (at, length) =>
							new Uint8Array(content.subarray(at, at + length)),
						close: async () => {},
					}
				: null,
	});
	closing.push(() => admin.server.close());
	return { id: "n1", admin: admin.address };
}

/** An admin port that does what a real one should not. */
async function portWith(answer: RequestListener) {
	const server: Server = createServer(answer);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closing.push(async () => {
		server.closeAllConnections();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	return { id: "n1", admin: `127.0.0.1:${port}` };
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of bytes) chunks.push(chunk);
	return Buffer.concat(chunks);
}

async function failure(work: Promise<unknown>): Promise<OperatorError> {
	const error = await work.catch((reason: unknown) => reason);
	expect(error).toBeInstanceOf(OperatorError);
	return error as OperatorError;
}

describe("a snapshot's file", () => {
	it("is listed, and read whole", async () => {
		const node = await nodeWith();
		const [listed] = await engine.snapshots(node, options);
		expect(listed).toEqual({
			...{ index: 9, term: 3, id: "s9", level: 2, release: "1.2.3" },
			...{ machine: "kv", fileBytes: content.length, sha256: "00" },
			createdAtMs: 77,
		});
		const wish = { index: 9, offset: 0 };
		const bytes = await read(await engine.readSnapshot(node, wish, options));
		expect(bytes.equals(content)).toBe(true);
	});

	it("is gone on with where a reader stopped, if it is the same one", async () => {
		const node = await nodeWith();
		const wish = { index: 9, offset: 1_000_000, id: "s9" };
		const bytes = await read(await engine.readSnapshot(node, wish, options));
		expect(bytes.equals(content.subarray(1_000_000))).toBe(true);
		const other = engine.readSnapshot(node, { ...wish, id: "s8" }, options);
		expect(await failure(other)).toMatchObject({
			kind: "refused",
			message:
				"n1 has another snapshot there than the one that was read up to byte 1000000",
		});
	});

	it("that is not there is refused in the node's own words", async () => {
		const node = await nodeWith();
		const asked = engine.readSnapshot(node, { index: 8, offset: 0 }, options);
		expect(await failure(asked)).toMatchObject({
			...{ kind: "refused" },
			message: "n1: n1 has no snapshot at 8; there is 9",
		});
	});

	it("is asked for later when the node has no hands free", async () => {
		const node = await portWith((_request, response) => {
			response.statusCode = 503;
			const message = "4 snapshots are being read";
			response.end(JSON.stringify({ error: { message } }));
		});
		const asked = engine.readSnapshot(node, { index: 8, offset: 0 }, options);
		expect(await failure(asked)).toMatchObject({
			...{ kind: "unreachable", message: "n1: 4 snapshots are being read" },
		});
	});

	it("that is cut short is no whole one", async () => {
		const node = await portWith((_request, response) => {
			response.setHeader("content-length", 100);
			response.write("half", () => response.destroy());
		});
		const wish = { index: 9, offset: 0 };
		const bytes = await engine.readSnapshot(node, wish, options);
		expect((await failure(read(bytes))).kind).toBe("unreachable");
	});

	it("is given up when the node falls silent, before the answer or within it", async () => {
		const short = { timeoutMs: 50 };
		const wish = { index: 9, offset: 0 };
		const mute = await portWith(() => {});
		expect(await failure(engine.readSnapshot(mute, wish, short))).toMatchObject(
			{ message: "n1 did not answer within 50 ms" },
		);
		const half = await portWith((_request, response) => {
			response.setHeader("content-length", 100);
			response.write("half");
		});
		const asked = engine.readSnapshot(half, wish, { timeoutMs: 300 });
		expect((await failure(asked.then(read))).kind).toBe("unreachable");
	});

	it("may be taken slowly: only the node's silence counts", async () => {
		const node = await nodeWith();
		const wish = { index: 9, offset: 0 };
		const slow = { timeoutMs: 1_000 };
		let bytes = 0;
		let isFirst = true;
		for await (const chunk of await engine.readSnapshot(node, wish, slow)) {
			bytes += chunk.length;
			if (isFirst) await new Promise((resolve) => setTimeout(resolve, 1_300));
			isFirst = false;
		}
		expect(bytes).toBe(content.length);
	});

	it("is left alone at once when the operation ends, with its reason", async () => {
		const node = await portWith((_request, response) => {
			response.write("half");
		});
		const abort = new AbortController();
		const reason = new OperatorError("interrupted", "interrupted");
		const bytes = await engine.readSnapshot(
			node,
			{ index: 9, offset: 0 },
			{ ...options, signal: abort.signal },
		);
		const reading = read(bytes);
		abort.abort(reason);
		await expect(reading).rejects.toBe(reason);
	});
});
