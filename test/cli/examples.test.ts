import { describe, expect, it } from "vitest";
import { commandOf } from "../../src/cli/command-table.js";
import { commandClasses, commandTable, parseCommandLine } from "./commands.js";
import { linesOf } from "./shell-lines.js";

describe.each([...commandClasses])("the help of %s", (id, command) => {
	const examples = (command.examples ?? []).map((example) =>
		(typeof example === "string" ? example : example.command).replaceAll(
			"<%= config.bin %>",
			"raftctl",
		),
	);

	it("says what the command does, in one line", () => {
		expect(command.summary).toMatch(/^[A-Z][^\n]{5,78}\.$/);
		expect(command.description ?? "").toMatch(/^\S.*\S$/s);
	});

	it("has an example, and each one is taken", async () => {
		const lines = examples.flatMap((example) => linesOf("raftctl", example));
		expect(lines.length).toBeGreaterThanOrEqual(Math.max(1, examples.length));
		for (const words of lines) await parseCommandLine(words);
		const named = lines.map((words) => commandOf(commandTable, words));
		expect(named.map((found) => found?.command.id)).toContain(id);
	});

	it("explains every flag and every argument", () => {
		const flags = commandTable.commands.find((one) => one.id === id)?.flags;
		for (const [name, { summary }] of Object.entries(flags ?? {}))
			expect([name, summary]).toEqual([
				name,
				expect.stringMatching(/^[^\n]{5,}$/),
			]);
		for (const [name, { description }] of Object.entries(command.args ?? {}))
			expect([name, description]).toEqual([
				name,
				expect.stringMatching(/^[^\n]{5,}$/),
			]);
	});
});
