import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadline } from "../../../src/hosts/ssh/deadline.js";

describe("a limit that can stand still", () => {
	beforeEach(() => {
		vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
	});
	afterEach(() => void vi.useRealTimers());

	it("counts only the time in which it does not", () => {
		const expired: string[] = [];
		const limit = new Deadline(1_000, () => expired.push("over"));
		vi.advanceTimersByTime(600);
		limit.pause();
		limit.pause();
		vi.advanceTimersByTime(60_000);
		limit.resume();
		limit.resume();
		vi.advanceTimersByTime(399);
		expect(expired).toEqual([]);
		vi.advanceTimersByTime(1);
		expect(expired).toEqual(["over"]);
	});

	it("never expires once it was ended, nor twice", () => {
		const expired: string[] = [];
		const ended = new Deadline(1_000, () => expired.push("ended"));
		ended.end();
		ended.resume();
		const over = new Deadline(1_000, () => expired.push("over"));
		vi.advanceTimersByTime(5_000);
		over.pause();
		over.resume();
		vi.advanceTimersByTime(5_000);
		expect(expired).toEqual(["over"]);
	});
});
