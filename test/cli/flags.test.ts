import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration } from "../../src/cli/flags.js";
import {
	durationText,
	longDurationText,
} from "../../src/cli/progress/duration.js";

describe("a duration on the command line", () => {
	it.each([
		["500ms", 500],
		["1.5s", 1500],
		["15m", 900_000],
		["1h30m", 5_400_000],
		["0s", 0],
	])("reads %s as %i ms", (text, ms) => {
		expect(parseDuration(text)).toBe(ms);
	});

	it.each(["", "5", "s", "-5s", "5 s", "5d", "1e3s", "5s5", "5sx", ".5s"])(
		"refuses %j rather than guess",
		(text) => {
			expect(parseDuration(text)).toBeNull();
		},
	);

	it("adds up its parts", () => {
		const part = fc.nat({ max: 1000 });
		fc.assert(
			fc.property(part, part, part, (hours, minutes, ms) => {
				expect(parseDuration(`${hours}h${minutes}m${ms}ms`)).toBe(
					hours * 3_600_000 + minutes * 60_000 + ms,
				);
			}),
		);
	});
});

describe("a duration for people", () => {
	it.each([
		[0, "0 ms"],
		[87.4, "87 ms"],
		[2_140, "2.1 s"],
		[200_000, "3 m 20 s"],
	])("shows %d ms as %s", (ms, text) => {
		expect(durationText(ms)).toBe(text);
	});

	it.each([
		[200_000, "3 m 20 s"],
		[6 * 3_600_000, "6 h"],
		[90 * 60_000, "1 h 30 m"],
		[51 * 3_600_000, "2 d 3 h"],
	])("shows %d ms, where it may be days, as %s", (ms, text) => {
		expect(longDurationText(ms)).toBe(text);
	});
});
