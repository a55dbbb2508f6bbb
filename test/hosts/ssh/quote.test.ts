import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandLine, quote } from "../../../src/hosts/ssh/quote.js";

/** Words that shells make something of, beside any others. */
const word = fc.oneof(
	fc.string({ unit: "binary", maxLength: 20 }),
	fc.string({
		unit: fc.constantFrom(..."'\"\\$`!*?~#&;|<>()[]{}=% \t\n-a^"),
		maxLength: 20,
	}),
);
const words = fc
	.array(
		word
			.filter((one) => !one.includes("\0"))
			.map((one) => Buffer.from(one).toString("utf8")),
		{ minLength: 1, maxLength: 40 },
	)
	.filter((list) => list.some((one) => one !== ""));

describe("a quoted word", () => {
	it.each([
		["sh", []],
		["bash", []],
		["zsh", ["-f"]],
		["fish", ["--no-config"]],
	])("is that word and nothing else to %s", (shell, options) => {
		fc.assert(
			fc.property(words, (list) => {
				const line = `printf '%s\\0' ${list.map(quote).join(" ")}`;
				const output = execFileSync(shell, [...options, "-c", line]);
				expect(output.toString("utf8").split("\0").slice(0, -1)).toEqual(list);
			}),
			{ numRuns: 25 },
		);
	});

	it("stays readable where nothing needs quotes", () => {
		expect(commandLine(["ls", "-la", "/var/lib/n1.d", "it's"])).toBe(
			"ls -la /var/lib/n1.d 'it'\\''s'",
		);
		expect(quote("")).toBe("''");
		expect(quote("=ls")).toBe("'=ls'");
	});

	it("is refused when it holds a NUL", () => {
		expect(() => quote("a\0b")).toThrow(RangeError);
	});
});
