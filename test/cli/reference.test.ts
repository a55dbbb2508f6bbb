import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/errors.js";
import { commandTable } from "./commands.js";

const docs = readFileSync(
	join(import.meta.dirname, "..", "..", "docs", "cli.md"),
	"utf8",
);

describe("the reference of the command line", () => {
	it.each(Object.entries(exitCodes))(
		"has the kind %s with its exit code %i",
		(kind, code) => {
			const row = docs
				.split("\n")
				.find((line) => line.startsWith("| ") && line.includes(`\`${kind}\``));
			expect(row).toMatch(new RegExp(`^\\| ${code} \\|`));
		},
	);

	it("has every command, in the list of commands", () => {
		const list = /^## Commands\n(.*?)^#/ms.exec(docs)?.[1] ?? "";
		const missing = commandTable.commands
			.filter(({ hidden }) => !hidden)
			.map(({ id }) => id.replaceAll(":", " "))
			.filter(
				(name) =>
					!list.includes(`\`${name}\``) &&
					!list.includes(`\`${name.split(" ", 1)[0]} …\``),
			);
		expect(missing).toEqual([]);
	});
});
