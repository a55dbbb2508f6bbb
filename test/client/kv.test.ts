import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
	connectKeyValue,
	type KeyValueChange,
} from "../../src/client/index.js";
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
