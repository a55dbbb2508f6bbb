import { createServer } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import { parseInventory } from "../../src/config/load.js";
import {
	deleteKey,
	getKey,
	type KeyValueTarget,
	listKeys,
	putKey,
} from "../../src/operations/kv.js";
import { type Node, startNode } from "../daemon/api/harness.js";

const fresh = { consistency: "linearizable", minIndex: 0 } as const;

/** A cluster file whose only node has this client port. */
function targetAt(port: number, changes: Partial<KeyValueTarget> = {}) {
	const text = `name: demo\nid: demo-1\nnodes: [{ id: n1, client: "127.0.0.1:${port}" }]\n`;
	return {
		inventory: parseInventory(text, { source: "-", directory: "/" }),
		node: null,
		timeoutMs: 5_000,
		signal: new AbortController().signal,
		...changes,
	};
}

describe("keys through a node's client port", () => {
	let node: Node;
	let target: KeyValueTarget;

	beforeEach(async () => {
		node = await startNode();
		target = targetAt(node.api.port);
	});

	it("are written, read, listed and deleted", async () => {
		const { version } = await putKey(target, "colour", {
			value: "blue",
			expect: null,
		});
		expect(await getKey(target, "colour", fresh)).toEqual({
			key: "colour",
			found: true,
			value: "blue",
			version,
		});
		expect(
			await listKeys(target, { prefix: "co", limit: 10, after: null }, fresh),
		).toEqual({
			items: [{ key: "colour", value: "blue", version }],
			more: false,
		});
		expect(await deleteKey(target, "colour")).toEqual({
			key: "colour",
			deleted: true,
		});
		expect(await deleteKey(target, "colour")).toEqual({
			key: "colour",
			deleted: false,
		});
		expect(await getKey(target, "colour", fresh)).toEqual({
			key: "colour",
			found: false,
		});
	});

	it("are written only over the version that is expected", async () => {
		const first = { value: "a", expect: 0 };
		const { version, written } = await putKey(target, "k", first);
		expect(written).toBe(true);
		expect(await putKey(target, "k", first)).toEqual({
			key: "k",
			written: false,
			version,
		});
		const second = await putKey(target, "k", { value: "b", expect: version });
		expect(second.written).toBe(true);
		expect(await putKey(target, "other", { value: "b", expect: 7 })).toEqual({
			key: "other",
			written: false,
			version: 0,
		});
	});

	it("are listed page by page", async () => {
		for (const key of ["a", "b", "c"])
			await putKey(target, key, { value: key, expect: null });
		const page = { prefix: "", limit: 2, after: null };
		const first = await listKeys(target, page, fresh);
		expect(first.items.map(({ key }) => key)).toEqual(["a", "b"]);
		expect(first.more).toBe(true);
		const second = await listKeys(target, { ...page, after: "b" }, fresh);
		expect(second.items.map(({ key }) => key)).toEqual(["c"]);
		expect(second.more).toBe(false);
	});

	it("show bytes that are no text as base64", async () => {
		const { connectKeyValue } = await import("../../src/client/kv.js");
		const client = connectKeyValue({
			endpoints: [`127.0.0.1:${node.api.port}`],
		});
		await client.put("raw", Buffer.from([0xff, 0x00]));
		await client.close();
		expect(await getKey(target, "raw", fresh)).toMatchObject({
			value: { base64: "/wA=" },
		});
	});

	it.each([
		["", "value", "the key is empty"],
		["k\uFFFD", "value", "the key is not UTF-8 text"],
		["key", "v\uFFFD", "the value is not UTF-8 text"],
	])(
		"and values that no command line can mean are a usage mistake: %j = %j",
		async (key, value, message) => {
			await expect(
				putKey(target, key, { value, expect: null }),
			).rejects.toMatchObject({ kind: "usage", message });
		},
	);

	it("are refused when they are too long, as a mistake of the caller", async () => {
		const value = { value: "a", expect: null };
		await expect(
			putKey(target, "k".repeat(2_000), value),
		).rejects.toMatchObject({
			kind: "usage",
			message: expect.stringContaining("2000 bytes"),
			state: "nothing was changed",
		});
	});
});

describe("keys that cannot be reached", () => {
	it("are unreachable when nobody listens, naming where", async () => {
		await expect(
			getKey(targetAt(1, { timeoutMs: 300 }), "k", fresh),
		).rejects.toMatchObject({
			kind: "unreachable",
			problems: ["tried 127.0.0.1:1"],
			next: "raftctl status",
		});
	});

	it("are a usage mistake when the node is none of the cluster's", async () => {
		await expect(
			getKey(targetAt(1, { node: "n9" }), "k", fresh),
		).rejects.toMatchObject({ kind: "usage", next: "choose from n1" });
	});

	it("are given up at once when the user interrupts", async () => {
		const silent = createServer((socket) => socket.resume());
		await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
		const address = silent.address();
		const port =
			address !== null && typeof address === "object" ? address.port : 0;
		const user = new AbortController();
		silent.once("connection", () => user.abort(new Error("enough")));
		const target = targetAt(port, {
			timeoutMs: 3_600_000,
			signal: user.signal,
		});
		await expect(getKey(target, "k", fresh)).rejects.toThrow("enough");
		silent.close();
	});
});
