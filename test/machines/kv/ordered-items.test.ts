import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderedItems } from "../../../src/machines/kv/ordered-items.js";

const item = (version: number) => ({
	value: new Uint8Array(),
	version,
	low: Math.imul(version, 0x9e3779b1),
	high: version,
});

function versions(items: OrderedItems, from = ""): [string, number][] {
	return [...items.from(from)].map(([key, { version }]) => [key, version]);
}

function sorted(model: Map<string, number>, from = ""): [string, number][] {
	return [...model]
		.filter(([key]) => key >= from)
		.sort(([one], [other]) => (one < other ? -1 : 1));
}

describe("ordered items", () => {
	it("agree with a sorted map over thousands of changes, splits and empty blocks included", () => {
		const change = fc.record({
			key: fc.nat({ max: 3000 }).map((number) => `k${number}`),
			remove: fc.boolean(),
		});
		fc.assert(
			fc.property(
				fc.array(change, { minLength: 2000, maxLength: 5000, size: "max" }),
				fc.nat({ max: 3000 }),
				(changes, from) => {
					const items = new OrderedItems();
					const model = new Map<string, number>();
					changes.forEach(({ key, remove }, version) => {
						if (remove) expect(items.delete(key)).toBe(model.delete(key));
						else {
							items.set(key, item(version));
							model.set(key, version);
						}
						expect(items.get(key)?.version).toBe(model.get(key));
					});
					expect(items.size).toBe(model.size);
					expect(versions(items)).toEqual(sorted(model));
					expect(versions(items, `k${from}`)).toEqual(
						sorted(model, `k${from}`),
					);
				},
			),
			{ numRuns: 10 },
		);
	});

	it.each([
		["rising", (at: number) => at],
		["falling", (at: number) => 9999 - at],
		["scattered", (at: number) => (at * 7919) % 10_000],
	])("hold %s keys", (_, order) => {
		const items = new OrderedItems();
		for (let at = 0; at < 10_000; at += 1)
			items.set(`${order(at)}`.padStart(5, "0"), item(at));
		const keys = versions(items).map(([key]) => key);
		expect(keys).toEqual(
			Array.from({ length: 10_000 }, (_, at) => `${at}`.padStart(5, "0")),
		);
		for (const key of keys) expect(items.delete(key)).toBe(true);
		expect(items.size).toBe(0);
		expect(versions(items)).toEqual([]);
		items.set("again", item(1));
		expect(versions(items)).toEqual([["again", 1]]);
	});

	it("keep a frozen view apart from the original, in both directions and for views of views", () => {
		const items = new OrderedItems();
		const expected = new Map<string, number>();
		for (let at = 0; at < 2000; at += 1) {
			items.set(`${at}`, item(at));
			expected.set(`${at}`, at);
		}
		const view = items.frozen();
		const second = view.frozen();
		items.set("1500", item(1));
		items.delete("3");
		view.set("new", item(2));
		view.delete("4");
		const third = items.frozen();
		items.set("1501", item(3));
		expect(versions(second)).toEqual(sorted(expected));
		expect(items.get("1500")?.version).toBe(1);
		expect(items.get("new")).toBeNull();
		expect(view.get("3")?.version).toBe(3);
		expect(view.size).toBe(2000);
		expect(third.get("1501")?.version).toBe(1501);
		expect(third.get("3")).toBeNull();
	});

	it("sum up the fingerprints of what they hold, whatever came and went", () => {
		const items = new OrderedItems();
		for (let at = 0; at < 3000; at += 1) items.set(`${at % 1000}`, item(at));
		for (let at = 0; at < 1000; at += 3) items.delete(`${at}`);
		const appended = new OrderedItems();
		for (const [key, each] of items.from("")) appended.append(key, each);
		expect(versions(appended)).toEqual(versions(items));
		expect([appended.low, appended.high, appended.size]).toEqual([
			items.low,
			items.high,
			items.size,
		]);
		const high = versions(items).reduce((sum, [, version]) => sum + version, 0);
		expect(items.high).toBe(high % 2 ** 32);
	});

	it("take more after they were built by appending, and change nothing in a frozen view of that", () => {
		const items = new OrderedItems();
		for (let at = 0; at < 2000; at += 1)
			items.append(`${at}`.padStart(4, "0"), item(at));
		const view = items.frozen();
		items.append("9999", item(1));
		items.set("0500a", item(2));
		items.delete("0000");
		expect(view.size).toBe(2000);
		expect(versions(view).map(([, version]) => version)).toEqual(
			Array.from({ length: 2000 }, (_, at) => at),
		);
		expect(items.get("0500a")?.version).toBe(2);
		expect([...items.runs()].flatMap(({ keys }) => keys)).toEqual(
			versions(items).map(([key]) => key),
		);
	});
});
