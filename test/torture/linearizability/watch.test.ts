import { describe, expect, it } from "vitest";
import { judgeWatches, type Known, type Told, type Watch } from "./watch.js";

function told(index: number, id: string, text = id): Told {
	return { index, id, text };
}

function watch(
	subscriber: string,
	events: readonly Told[],
	[from, to]: readonly [number, number] = [1, 100],
): Watch {
	return { subscriber, from, to, events };
}

const ids = ["a", "b", "c"];
const known: Known = {
	acknowledged: new Map([
		["a", 3],
		["b", 5],
	]),
	silent: new Set(["d"]),
	sent: new Set([...ids, "d"]),
};
const all = [told(3, "a"), told(5, "b"), told(8, "c")];

describe("the judge of subscriptions", () => {
	it("accepts what is told in order, once, and to everybody", () => {
		expect(judgeWatches([watch("s", all), watch("t", all)], known)).toEqual([]);
	});

	it("accepts the event of a command whose outcome nobody heard, and its absence", () => {
		expect(judgeWatches([watch("s", all)], known)).toEqual([]);
		expect(judgeWatches([watch("s", all.slice(0, 2))], known)).toEqual([]);
	});

	it("sees an event that is missing, by what was acknowledged", () => {
		const faults = judgeWatches([watch("s", [told(5, "b")])], known);
		expect(faults).toEqual(["s was never told of index 3"]);
	});

	it("sees an event that is missing, by what another was told", () => {
		const faults = judgeWatches(
			[watch("s", all), watch("t", all.slice(0, 2))],
			known,
		);
		expect(faults).toEqual(["t was never told of index 8"]);
	});

	it("asks for nothing outside of what a subscriber was to be told", () => {
		const part = watch("s", [told(5, "b")], [4, 7]);
		expect(judgeWatches([part, watch("t", all)], known)).toEqual([]);
	});

	it("sees events that are repeated or out of order", () => {
		const [a, b, c] = all as [Told, Told, Told];
		expect(judgeWatches([watch("s", [a, b, b, c])], known)).toEqual([
			"s was told of index 5 after 5",
		]);
		expect(judgeWatches([watch("s", [b, a, c])], known)).toEqual([
			"s was told of index 3 after 5",
		]);
		expect(judgeWatches([watch("s", [b], [6, 9])], known)).toContain(
			"s was told of index 5 after 5",
		);
	});

	it("sees an event beyond what the subscriber was told to know", () => {
		expect(judgeWatches([watch("s", all, [1, 7])], known)).toEqual([
			"s was told of index 8, but only that it knows all up to 7",
		]);
	});

	it("sees two subscribers that were told different things of one index", () => {
		const other = [told(3, "a"), told(5, "b"), told(8, "c", "not c")];
		expect(judgeWatches([watch("s", all), watch("t", other)], known)).toEqual([
			"t was told not c of index 8, another c",
		]);
	});

	it("sees a command that was executed twice", () => {
		const faults = judgeWatches([watch("s", [...all, told(9, "c")])], known);
		expect(faults).toEqual([
			"indexes 8 and 9 both tell c: it was executed twice",
		]);
	});

	it("sees the event of a command that certainly failed, and of one that nobody sent", () => {
		const faults = judgeWatches(
			[watch("s", [...all, told(9, "d"), told(10, "e")])],
			known,
		);
		expect(faults).toEqual([
			"index 9 tells d, which certainly changed nothing",
			"index 10 tells e, which nobody sent",
		]);
	});

	it("sees a command that was acknowledged at another index", () => {
		const events = [told(3, "a"), told(6, "b")];
		expect(judgeWatches([watch("s", events)], known)).toEqual([
			"index 6 tells b, acknowledged at index 5",
			"s was never told of index 5",
		]);
	});
});
