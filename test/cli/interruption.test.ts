import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Interruption } from "../../src/cli/interruption.js";

describe("a signal to raftctl", () => {
	const exits: number[] = [];
	let interruption: Interruption;

	beforeEach(() => {
		exits.length = 0;
		interruption = new Interruption((code) => exits.push(code));
		interruption.listen();
	});

	afterEach(() => interruption.stopListening());

	it.each([
		["SIGINT", "interrupted", 130],
		["SIGTERM", "terminated", 143],
	] as const)(
		"aborts at the first %s and ends the process at the second",
		(signal, kind, code) => {
			process.emit(signal);
			expect(interruption.signal.reason).toMatchObject({ kind });
			expect(interruption.exitCode).toBe(code);
			expect(exits).toEqual([]);
			process.emit(signal);
			expect(exits).toEqual([code]);
		},
	);

	it("ends the process with the code of the second signal", () => {
		process.emit("SIGTERM");
		process.emit("SIGINT");
		expect(exits).toEqual([130]);
		expect(interruption.exitCode).toBe(143);
	});
});
