import { describe, expect, it } from "vitest";
import { digestedControl } from "../../../src/machines/control/digest.js";
import {
	decodeControl,
	encodeControl,
} from "../../../src/machines/control/snapshot.js";
import {
	type ControlState,
	createControlState,
} from "../../../src/machines/control.js";
import { acquire, commanded, write } from "./commanded.js";

function operated(record: string): ControlState {
	const state = createControlState();
	commanded(state, 1, acquire(1));
	commanded(state, 2, write("a", 1));
	commanded(state, 3, write("a", 1, { unfinished: false, record }));
	commanded(state, 4, write("b", 1, { record }));
	return state;
}

describe("what a digest is taken of", () => {
	it("is the same after a restore, and of what came about in another way", () => {
		const state = operated("{}");
		const parts = digestedControl(state);
		expect(digestedControl(decodeControl(encodeControl(state)))).toEqual(parts);
		const other = operated("{}");
		commanded(other, 5, write("b", 1, { record: "another" }));
		expect(digestedControl(other).journal).not.toEqual(parts.journal);
		commanded(other, 6, write("b", 1, { record: "{}" }));
		expect(digestedControl(other)).toEqual(parts);
	});

	it("differs when one character of an operation does", () => {
		expect(digestedControl(operated("{ }"))).not.toEqual(
			digestedControl(operated("{}")),
		);
	});

	it("has nothing of a journal that is empty, as in releases that had none", () => {
		const state = createControlState();
		expect(digestedControl(state)).toEqual({
			...{ settings: encodeControl(state), journal: null },
		});
	});

	it("does not grow with the journal", () => {
		const small = digestedControl(operated("{}"));
		const large = digestedControl(operated("a".repeat(16_000)));
		expect(large.settings.length).toBe(small.settings.length);
		expect(large.journal?.length).toBe(8);
	});
});
