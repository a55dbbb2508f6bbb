import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShortLivedMap } from "../src/short-lived-map.js";

describe("a map for what comes and goes", () => {
	it("is a map, through any number of additions and removals", () => {
		const step = fc.record({
			key: fc.nat(40),
			times: fc.constantFrom(1, 300),
			isRemoval: fc.boolean(),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
				const map = new ShortLivedMap<number, number>();
				const model = new Map<number, number>();
				for (const { key, times, isRemoval } of steps) {
					for (let time = 0; time < times; time++) {
						map.set(key, time);
						model.set(key, time);
						if (!isRemoval && time === times - 1) break;
						expect(map.delete(key)).toBe(model.delete(key));
					}
					expect(map.has(key)).toBe(model.has(key));
					expect(map.get(key)).toBe(model.get(key));
				}
				expect([...map]).toEqual([...model]);
				expect([...map.keys()]).toEqual([...model.keys()]);
				expect([...map.values()]).toEqual([...model.values()]);
				expect(map.size).toBe(model.size);
				expect(map.delete(99)).toBe(false);
				map.clear();
				expect(map.size).toBe(0);
			}),
		);
	});

	it("shows everything that was there to who removes it on the way, also where it moves meanwhile", () => {
		const map = new ShortLivedMap<number, number>();
		for (let key = 0; key < 1000; key++) map.set(key, key);
		const seen: number[] = [];
		for (const [key] of map) {
			seen.push(key);
			map.delete(key);
			map.set(2000 + key, key);
			map.delete(2000 + key);
		}
		expect(seen.filter((key) => key < 1000)).toEqual(
			Array.from({ length: 1000 }, (_, key) => key),
		);
		expect(map.size).toBe(0);
	});
});
