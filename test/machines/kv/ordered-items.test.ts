import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderedItems } from "../../../src/machines/kv/ordered-items.js";

/** Another for each version, of all lengths. */
const value = (version: number) => Buffer.alloc(version % 50, version);

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
							items.set(key, version, value(version));
							model.set(key, version);
						}
						expect(items.get(key)?.version).toBe(model.get(key));
					});
					expect(items.size).toBe(model.size);
					expect(versions(items)).toEqual(sorted(model));
					// One finds keys by their index, the other by their order.
					const frozen = items.frozen();
					for (const key of model.keys())
						expect(frozen.get(key)).toEqual(items.get(key));
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
			items.set(`${order(at)}`.padStart(5, "0"), at, value(at));
		const keys = versions(items).map(([key]) => key);
		expect(keys).toEqual(
			Array.from({ length: 10_000 }, (_, at) => `${at}`.padStart(5, "0")),
		);
		for (const key of keys) expect(items.delete(key)).toBe(true);
		expect(items.size).toBe(0);
		expect(versions(items)).toEqual([]);
		items.set("again", 1, value(1));
		expect(versions(items)).toEqual([["again", 1]]);
	});

	it("keep a frozen view apart from the original, in both directions and for views of views", () => {
		const items = new OrderedItems();
		const expected = new Map<string, number>();
		for (let at = 0; at < 2000; at += 1) {
			items.set(`${at}`, at, value(at));
			expected.set(`${at}`, at);
		}
		const view = items.frozen();
		const second = view.frozen();
		items.set("1500", 1, value(1));
		items.delete("3");
		view.set("new", 2, value(2));
		view.delete("4");
		const third = items.frozen();
		items.set("1501", 3, value(3));
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
		for (let at = 0; at < 3000; at += 1)
			items.set(`${at % 1000}`, at, value(at));
		for (let at = 0; at < 1000; at += 3) items.delete(`${at}`);
		const appended = new OrderedItems();
		for (const [key, each] of items.from(""))
			appended.append(key, each.version, each.value);
		expect(versions(appended)).toEqual(versions(items));
		expect([appended.low, appended.high, appended.size]).toEqual([
			items.low,
			items.high,
			items.size,
		]);
		for (const [key] of versions(items)) appended.delete(key);
		expect([appended.low, appended.high, appended.size]).toEqual([0, 0, 0]);
	});

	it("take more after they were built by appending, and change nothing in a frozen view of that", () => {
		const items = new OrderedItems();
		for (let at = 0; at < 2000; at += 1)
			items.append(`${at}`.padStart(4, "0"), at, value(at));
		const view = items.frozen();
		items.append("9999", 1, value(1));
		items.set("0500a", 2, value(2));
		items.delete("0000");
		expect(view.size).toBe(2000);
		expect(versions(view).map(([, version]) => version)).toEqual(
			Array.from({ length: 2000 }, (_, at) => at),
		);
		expect(items.get("0500a")?.version).toBe(2);
		const { records } = items;
		expect([...items.runs()].flat().map((place) => records.key(place))).toEqual(
			versions(items).map(([key]) => key),
		);
	});

	it("hold values of every size through changes, moves and frozen views, in at most twice the memory and a little", () => {
		const change = fc.record({
			key: fc.nat({ max: 400 }).map((number) => `k${number}`),
			bytes: fc.oneof(
				{ weight: 200, arbitrary: fc.nat({ max: 3000 }) },
				{ weight: 1, arbitrary: fc.nat({ max: 400_000 }) },
				{ weight: 50, arbitrary: fc.constant(-1) },
				{ weight: 1, arbitrary: fc.constant(-2) },
			),
		});
		fc.assert(
			fc.property(
				fc.array(change, { minLength: 1000, maxLength: 4000, size: "max" }),
				(changes) => {
					const items = new OrderedItems();
					const model = new Map<string, string>();
					let view = items.frozen();
					let seen = new Map(model);
					changes.forEach(({ key, bytes }, version) => {
						if (bytes === -2) {
							expect(told(view)).toEqual(seen);
							view = items.frozen();
							seen = new Map(model);
						} else if (bytes === -1)
							expect(items.delete(key)).toBe(model.delete(key));
						else {
							items.set(key, version, Buffer.alloc(bytes, version));
							model.set(key, `${version} ${bytes} ${version % 256}`);
						}
					});
					expect(told(items)).toEqual(model);
					expect(told(view)).toEqual(seen);
					expect(items.records.totalBytes).toBeLessThan(
						2 * liveBytes(items) + 6 * 1024 * 1024,
					);
				},
			),
			{ numRuns: 15 },
		);
	});

	it("write a value of the same size where the one before it was, and take no more memory for it", () => {
		const items = new OrderedItems();
		for (let at = 0; at < 1000; at += 1)
			items.set(`${at}`, at, Buffer.alloc(1000, at));
		const before = items.records.totalBytes;
		const places = [...items.runs()].flat();
		for (let at = 0; at < 5000; at += 1)
			items.set(`${at % 1000}`, at, Buffer.alloc(1000 - (at % 5), at));
		expect([...items.runs()].flat()).toEqual(places);
		expect(items.records.totalBytes).toBe(before);
		const view = items.frozen();
		const digest = [view.low, view.high];
		items.set("7", 9000, Buffer.alloc(1000));
		expect(view.get("7")?.version).toBe(4007);
		expect([view.low, view.high]).toEqual(digest);
	});
});

/** Each item as its version, its length and the one byte that its value is made of. */
function told(items: OrderedItems): Map<string, string> {
	return new Map(
		[...items.from("")].map(([key, { version, value }]) => {
			const fill = version % 256;
			const whole = value.equals(Buffer.alloc(value.length, fill));
			return [key, `${version} ${value.length} ${whole ? fill : "mixed"}`];
		}),
	);
}

function liveBytes(items: OrderedItems): number {
	return [...items.from("")].reduce(
		(sum, [key, { value }]) => sum + 40 + key.length + value.length,
		0,
	);
}
