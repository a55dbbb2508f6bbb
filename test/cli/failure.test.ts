import { Errors } from "@oclif/core";
import { describe, expect, it } from "vitest";
import { failureReport, reportFailure } from "../../src/cli/failure.js";
import { exitCodes, OperatorError } from "../../src/errors.js";

describe("the report of an error", () => {
	it("has what the operator's error says, and leaves out what it does not", () => {
		const error = new OperatorError("refused", "n2 cannot be stopped", {
			node: "n2",
			problems: ["n1 is down"],
			state: "nothing was touched",
			next: "raftctl status",
		});
		expect(failureReport(error, false)).toEqual({
			kind: "refused",
			message: "n2 cannot be stopped",
			node: "n2",
			problems: ["n1 is down"],
			state: "nothing was touched",
			next: "raftctl status",
		});
		expect(failureReport(new OperatorError("locked", "locked"), true)).toEqual({
			kind: "locked",
			message: "locked",
		});
	});

	it("tells the chain of causes, with their codes, only when asked", () => {
		const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
		const error = new OperatorError("unreachable", "n1 is silent", {
			cause: new Error("no answer", { cause }),
		});
		expect(failureReport(error, true).causes).toEqual([
			"no answer",
			"connect (ECONNREFUSED)",
		]);
		expect(failureReport(error, false)).not.toHaveProperty("causes");
	});

	it("ends even when a cause is its own cause", () => {
		const error = new Error("loop");
		error.cause = error;
		expect(failureReport(error, true).causes?.length).toBeLessThan(20);
	});

	it("takes what oclif refuses for a usage error, and everything else for a bug", () => {
		const refused = new Errors.CLIError("Nonexistent flag: --x");
		expect(failureReport(refused, false).kind).toBe("usage");
		expect(failureReport(new TypeError("x is not a function"), false)).toEqual({
			kind: "unexpected",
			message: "x is not a function",
			next: expect.stringContaining("--verbose"),
		});
		expect(failureReport("a string", false).message).toBe("a string");
	});
});

describe("the exit code of an error", () => {
	/** NDJSON and text print; the code is the same whatever is printed. */
	const quiet = { output: "table", verbose: false } as const;

	it.each(Object.entries(exitCodes))("of kind %s is %i", async (kind, code) => {
		const error = new OperatorError(
			kind as keyof typeof exitCodes,
			"it failed",
		);
		expect(await reportFailure(error, quiet, null)).toBe(code);
	});

	it("is that of the signal when the operation ended because of it", async () => {
		const error = new OperatorError("interrupted", "stopped in order");
		expect(await reportFailure(error, quiet, 143)).toBe(143);
		const abort = new DOMException("aborted", "AbortError");
		expect(await reportFailure(abort, quiet, 130)).toBe(130);
	});

	it("is the error's own when something else failed after the signal", async () => {
		const error = new OperatorError("partial", "n2 is half done");
		expect(await reportFailure(error, quiet, 130)).toBe(14);
	});

	it("is oclif's when it only wants to exit", async () => {
		expect(await reportFailure(new Errors.ExitError(0), quiet, null)).toBe(0);
	});
});
