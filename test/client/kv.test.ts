import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
	connectKeyValue,
	type KeyValueChange,
	keyValueOver,
	type RaftClient,
} from "../../src/client/index.js";
import { encodeAnswer, encodeResult } from "../../src/machines/kv/codec.js";
import { cutting, kept, serving } from "./cluster.js";

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });

describe("the key-value client", () => {
	it("puts, gets, swaps, lists and deletes", async () => {
		const { endpoints } = await serving(1);
		const kv = kept(connectKeyValue({ endpoints }));
		expect(await kv.get("a")).toBeNull();
		const { version } = await kv.put("a", "1");
		expect(await kv.get("a")).toEqual({
			...{ value: Buffer.from("1"), version, ageMs: 0 },
		});
		expect(await kv.cas({ key: "a", expect: null, value: "2" })).toEqual({
			swapped: false,
			version,
		});
		const swap = await kv.cas({ key: "a", expect: version, value: "2" });
		expect(swap.swapped).toBe(true);
		await kv.put("b", "3");
		const { items, more } = await kv.list({ limit: 1 });
		expect(items.map(({ key, value }) => `${key}=${value}`)).toEqual(["a=2"]);
		expect(more).toBe(true);
		const rest = await kv.list({ prefix: "b", after: "a" });
		expect(rest.items.map(({ key }) => `${key}`)).toEqual(["b"]);
		expect(await kv.delete("a")).toEqual({ deleted: true });
		expect(await kv.delete("a")).toEqual({ deleted: false });
	});

	it("keeps keys and values of any bytes as they are, also in what it watches", async () => {
		const { endpoints } = await serving(1);
		const kv = kept(connectKeyValue({ endpoints }));
		const changes: KeyValueChange[] = [];
		const { ready } = kv.watch({
			onChange: (_index, change) => changes.push(change),
			onEnd: () => {},
		});
		await ready;
		await fc.assert(
			fc.asyncProperty(bytes, bytes, async (key, value) => {
				const count = changes.length;
				await kv.put(key, value);
				const found = await kv.get(key);
				expect(found?.value.equals(value)).toBe(true);
				await vi.waitFor(() => expect(changes.length).toBe(count + 1), {
					timeout: 10_000,
					interval: 1,
				});
				const change = changes.at(-1) as KeyValueChange;
				expect(Buffer.from(change.key as string).equals(key)).toBe(true);
				expect(Buffer.from(change.value as string).equals(value)).toBe(true);
			}),
			{ numRuns: 50 },
		);
	});

	it("keeps a value apart from the packet that it came in", async () => {
		const { endpoints } = await serving(1);
		const proxy = await cutting(endpoints[0] ?? "");
		const kv = kept(connectKeyValue({ endpoints: [proxy.address] }));
		await kv.put("a", "small");
		const found = await kv.get("a");
		expect(found?.value.buffer.byteLength).toBeLessThanOrEqual(8192);
	});

	it("refuses an empty key before it is sent", async () => {
		const { endpoints, replica } = await serving(1);
		const kv = kept(connectKeyValue({ endpoints }));
		await expect(kv.put("", "1")).rejects.toThrow("the key is empty");
		expect(replica.proposals).toEqual([]);
	});
});

/** What a cluster of another machine says. */
function foreignCluster(said: Uint8Array, event: unknown): RaftClient {
	const answer = async () => ({
		index: 7,
		result: Buffer.from(said),
		ageMs: 0,
	});
	return {
		...{ command: answer, query: answer, lastIndex: 7, transport: "stream" },
		subscribe({ onEvent, onEnd }) {
			setImmediate(() => onEvent(7, event));
			return {
				...{ ready: Promise.resolve(7), next: 8, moves: 0, node: "n1" },
				close: () => onEnd(null),
			};
		},
		async close() {},
	};
}

describe("the key-value client of a cluster that runs another machine", () => {
	it.each([
		["nothing", Buffer.alloc(0)],
		["what cannot be read", Buffer.from([191])],
		[
			"the answer to something else",
			encodeAnswer({ op: "list", items: [], more: false }),
		],
	])("knows that a question was not answered: %s", async (_what, said) => {
		const kv = keyValueOver(foreignCluster(said, null));
		await expect(kv.get("a")).rejects.toMatchObject({
			name: "NotDoneError",
			reason: "unsupported",
		});
	});

	it.each([
		["what cannot be read", Buffer.from([191])],
		[
			"the result of something else",
			encodeResult({ op: "delete", deleted: true }),
		],
	])(
		"does not know what became of a command that was answered by %s",
		async (_what, said) => {
			const kv = keyValueOver(foreignCluster(said, null));
			await expect(kv.put("a", "b")).rejects.toMatchObject({
				name: "OutcomeUnknownError",
				reason: "unsupported",
			});
		},
	);

	it.each([
		[null],
		["put"],
		[{ op: "put", key: "a" }],
		[{ op: "put", key: 1, value: "b" }],
		[{ op: "put", key: null, value: "b" }],
		[{ op: "delete", key: { base64: 1 } }],
		[{ op: "swap", key: "a", value: "b" }],
	])("ends a watch at an event that is no change: %j", async (event) => {
		const kv = keyValueOver(foreignCluster(Buffer.alloc(0), event));
		const changes: KeyValueChange[] = [];
		const error = await new Promise((resolve) =>
			kv.watch({
				onChange: (_index, change) => changes.push(change),
				onEnd: resolve,
			}),
		);
		expect(error).toMatchObject({
			name: "NotDoneError",
			reason: "unsupported",
		});
		expect(changes).toEqual([]);
	});
});
