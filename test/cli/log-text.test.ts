import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { logText } from "../../src/cli/log-text.js";
import type { LogLine } from "../../src/operations/logs/log-line.js";

const line: LogLine = {
	node: "n1",
	atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
	level: "warn",
	message: "slow",
	fields: {},
};

function text(changes: Partial<LogLine>): string {
	const colours = new Chalk({ level: 0 });
	return logText({ ...line, ...changes }, { width: 3, colours });
}

describe("a line of a log, for people", () => {
	it("has time, node, level, message and what was added", () => {
		const fields = {
			...{ term: 7, leader: null, address: "10.0.0.1:7000", why: "no word" },
			err: { type: "Error", message: "it broke", stack: "at …" },
		};
		expect(text({ fields })).toBe(
			'2026-01-02T03:04:05.678Z n1  WARN  slow term=7 leader=null address=10.0.0.1:7000 why="no word" err="it broke"',
		);
	});

	it("keeps its columns without time and level", () => {
		expect(text({ atMs: null, level: null })).toBe(
			`-${" ".repeat(23)} n1        slow`,
		);
	});

	it("moves no cursor and begins no line of its own", () => {
		const shown = text({
			message: "a\u001b[2Jb\nc\td\u009b",
			fields: { "k\r": "\u001b]0;x\u0007" },
		});
		// biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant
		expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
		expect(shown).toContain("a\\x1b[2Jb\\x0ac d\\x9b");
	});
});
