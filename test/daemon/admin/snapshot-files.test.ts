import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { snapshotFiles } from "../../../src/daemon/admin/snapshot-files.js";
import { openSnapshotStore } from "../../../src/storage/snapshots/open.js";
import type {
	SnapshotManifest,
	SnapshotStore,
} from "../../../src/storage/snapshots/snapshot-store.js";
import { eventually } from "../../e2e/local-cluster.js";
import { descriptionOf } from "../../storage/snapshots/samples.js";
import { type AdminNode, callJson, startAdminNode } from "./admin-node.js";

let directory: string;
let store: SnapshotStore;
let node: AdminNode;
let open = 0;

beforeEach(async () => {
	directory = mkdtempSync(join(tmpdir(), "snapshot-files-"));
	const place = { clusterId: "cluster", nodeId: "n1" };
	({ store } = await openSnapshotStore({ ...place, directory }));
	open = 0;
	node = await startAdminNode("leader", {
		list: () => store.list(),
		async open(index) {
			const file = await store.open(index);
			if (file === null) return null;
			open++;
			const close = () => {
				open--;
				return file.close();
			};
			return { ...file, close };
		},
	});
});

afterEach(async () => {
	await node.server.close();
	await store.close();
	rmSync(directory, { recursive: true });
});

async function take(index: number, bytes: number): Promise<SnapshotManifest> {
	// Of two at one index the later one counts.
	const createdAtMs = 1 + store.list().length;
	const writer = await store.create(descriptionOf(index, { createdAtMs }));
	await writer.write(new Uint8Array(randomBytes(bytes)));
	return await writer.finish();
}

function fileOf({ id }: SnapshotManifest): Buffer {
	const name = readdirSync(directory).find((each) => each.includes(id));
	return readFileSync(join(directory, String(name)));
}

const get = (path: string, init: RequestInit = {}) =>
	fetch(`http://${node.address}${path}`, init);

const bytesOf = async (response: Response) =>
	Buffer.from(await response.arrayBuffer());

/** A reader that takes nothing: the answer waits in the sockets. */
function stalled(path: string): Promise<http.IncomingMessage> {
	return new Promise((resolve, reject) => {
		const url = `http://${node.address}${path}`;
		http.get(url, { agent: false }, resolve).once("error", reject);
	});
}

describe("the list of snapshots", () => {
	it("is the same as JSON and by RPC, newest first", async () => {
		const manifests = [await take(5, 100), await take(9, 200)];
		const shown = (await (await get("/snapshots")).json()) as {
			snapshots: Record<string, unknown>[];
		};
		expect(shown.snapshots).toEqual(
			manifests
				.reverse()
				.map(
					({ clusterId: _1, configuration: _2, contentBytes: _3, ...rest }) =>
						rest,
				),
		);
		const { body } = await callJson(node, "ListSnapshots");
		const told = body.snapshots as Record<string, unknown>[];
		const numbers = ["index", "term", "fileBytes"];
		expect(
			told.map((each) => ({
				...each,
				...Object.fromEntries(numbers.map((key) => [key, Number(each[key])])),
			})),
		).toEqual(shown.snapshots);
	});

	it("may be empty", async () => {
		expect(await (await get("/snapshots")).json()).toEqual({ snapshots: [] });
	});
});

describe("the file of a snapshot", () => {
	it("is given out byte for byte, with its length and its id", async () => {
		const manifest = await take(7, 3_500_000);
		const response = await get("/snapshots/7");
		expect(response.status).toBe(200);
		expect(response.headers.get("content-length")).toBe(
			`${manifest.fileBytes}`,
		);
		expect(response.headers.get("etag")).toBe(`"${manifest.id}"`);
		expect((await bytesOf(response)).equals(fileOf(manifest))).toBe(true);
		expect(open).toBe(0);
	});

	it("is given out in parts that make up the whole, also over HTTP/2", async () => {
		const manifest = await take(7, 2_500_000);
		const whole = fileOf(manifest);
		const cut = 1_234_567;
		const first = await get("/snapshots/7", {
			headers: { range: `bytes=0-${cut - 1}` },
		});
		expect(first.status).toBe(206);
		const session = http2.connect(`http://${node.address}`);
		const stream = session.request({
			":path": "/snapshots/7",
			range: `bytes=${cut}-`,
			"if-range": `"${manifest.id}"`,
		});
		const chunks: Buffer[] = [];
		let headers: http2.IncomingHttpHeaders = {};
		stream.once("response", (each) => {
			headers = each;
		});
		for await (const chunk of stream) chunks.push(chunk);
		session.close();
		expect(headers).toMatchObject({
			":status": 206,
			"content-range": `bytes ${cut}-${whole.length - 1}/${whole.length}`,
		});
		const both = Buffer.concat([await bytesOf(first), ...chunks]);
		expect(both.equals(whole)).toBe(true);
	});

	it("is given out whole to whoever wants to go on with another one", async () => {
		const old = await take(7, 1000);
		const now = await take(7, 2000);
		const response = await get("/snapshots/7", {
			headers: { range: "bytes=500-", "if-range": `"${old.id}"` },
		});
		expect(response.status).toBe(200);
		expect((await bytesOf(response)).equals(fileOf(now))).toBe(true);
	});

	it("is told of and not sent for HEAD", async () => {
		const { fileBytes } = await take(7, 1000);
		const response = await get("/snapshots/7", { method: "HEAD" });
		expect(response.status).toBe(200);
		expect(response.headers.get("content-length")).toBe(`${fileBytes}`);
		expect(await response.text()).toBe("");
		expect(open).toBe(0);
	});

	it("is not removed while it is read, and may be once nobody reads it", async () => {
		const manifest = await take(7, 9_000_000);
		const whole = fileOf(manifest);
		const response = await stalled("/snapshots/7");
		await eventually(async () => open === 1, "the file to be open");
		await take(8, 10);
		await store.prune(1);
		const chunks: Buffer[] = [];
		for await (const chunk of response) chunks.push(chunk);
		expect(Buffer.concat(chunks).equals(whole)).toBe(true);
		await eventually(async () => open === 0, "the file to be closed");
		await store.prune(1);
		expect(
			readdirSync(directory).some((name) => name.includes(manifest.id)),
		).toBe(false);
	});

	it("is closed when its reader leaves", async () => {
		await take(7, 30_000_000);
		const response = await stalled("/snapshots/7");
		await eventually(async () => open === 1, "the file to be open");
		response.destroy();
		await eventually(async () => open === 0, "the file to be closed");
		expect(node.internalErrors).toEqual([]);
	});

	it("is closed when its reader stands still, though the connection is there", async () => {
		await take(7, 30_000_000);
		const answer = snapshotFiles({
			...{ node: "n1", stalledReaderMs: 50 },
			snapshots: {
				list: () => store.list(),
				open: async (index) => {
					const file = await store.open(index);
					open++;
					const close = async () => void open--;
					return file && { ...file, close };
				},
			},
			onFailure: () => {},
		});
		const server = http.createServer((request, response) => {
			answer(request, response);
		});
		await new Promise<void>((listening) => server.listen(0, listening));
		const { port } = server.address() as AddressInfo;
		const url = `http://127.0.0.1:${port}/snapshots/7`;
		const response = await new Promise<http.IncomingMessage>((resolve) => {
			http.get(url, { agent: false }, resolve);
		});
		await eventually(async () => open === 1, "the file to be open");
		await eventually(async () => open === 0, "the file to be closed");
		response.on("error", () => {});
		response.resume();
		await new Promise((ended) => response.once("close", ended));
		expect(response.complete).toBe(false);
		server.close();
	});

	it("is read by four at once, and the fifth is told to come again", async () => {
		await take(7, 30_000_000);
		const readers = await Promise.all(
			[1, 2, 3, 4].map(() => stalled("/snapshots/7")),
		);
		const fifth = await get("/snapshots/7");
		expect(fifth.status).toBe(503);
		expect(fifth.headers.get("retry-after")).toBe("5");
		expect(await fifth.json()).toEqual({
			error: {
				message: "4 snapshots are being read from n1; try again in a while",
			},
		});
		for (const reader of readers) reader.destroy();
		await eventually(async () => {
			const { status } = await get("/snapshots/7", { method: "HEAD" });
			return status === 200;
		}, "room for another");
	});

	it("that breaks off on the disk ends the connection instead of passing for whole", async () => {
		const manifest = await take(7, 3_000_000);
		const { fileBytes } = manifest;
		const cut = await startAdminNode("leader", {
			list: () => [manifest],
			open: async () => ({
				manifest,
				readAt: async (offset, length) => {
					if (offset + length > 2_000_000) throw new Error("EIO");
					return new Uint8Array(length);
				},
				close: async () => undefined,
			}),
		});
		const response = await fetch(`http://${cut.address}/snapshots/7`);
		expect(response.headers.get("content-length")).toBe(`${fileBytes}`);
		await expect(response.arrayBuffer()).rejects.toThrow();
		expect(cut.internalErrors).toEqual([new Error("EIO")]);
		await cut.server.close();
	});

	it.each([
		["/snapshots/8", 404, "n1 has no snapshot at 8; there is 7"],
		["/snapshots/new", 404, "a snapshot is named by its index, a number"],
	])("%s is answered with %i and a sentence", async (path, status, message) => {
		await take(7, 10);
		const response = await get(path);
		expect(response.status).toBe(status);
		expect(await response.json()).toEqual({ error: { message } });
	});

	it("that is asked for behind its end is answered with its size", async () => {
		const { fileBytes } = await take(7, 10);
		const response = await get("/snapshots/7", {
			headers: { range: `bytes=${fileBytes}-` },
		});
		expect(response.status).toBe(416);
		expect(response.headers.get("content-range")).toBe(`bytes */${fileBytes}`);
		expect(await response.json()).toEqual({
			error: { message: `the snapshot at 7 has ${fileBytes} bytes` },
		});
	});

	it("is read and nothing else", async () => {
		await take(7, 10);
		const response = await get("/snapshots/7", { method: "DELETE" });
		expect(response.status).toBe(405);
		expect(response.headers.get("allow")).toBe("GET, HEAD");
		expect(await response.json()).toEqual({
			error: { message: "DELETE is not done here; there is GET" },
		});
		expect((await get("/snapshots/7/content")).status).toBe(404);
	});
});
