import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandOf, leading, wordsBelow } from "../src/cli/command-table.js";
import { commandTable, parseCommandLine } from "./cli/commands.js";
import { commandLines, linesOf } from "./cli/shell-lines.js";
import { blocksOf, pages, read, root } from "./docs-pages.js";

const blocks = pages.flatMap(blocksOf);
const scripts = blocks.filter(({ info }) => info.split(" ")[0] === "sh");

describe("the examples of the documents", () => {
	it("are fenced: what is merely indented is read by no test", () => {
		const indented = pages.flatMap((page) =>
			[...read(page).matchAll(/^(?: {4}|\t)raftctl .*$/gm)]
				.filter(({ index }) => !isFenced(page, index))
				.map(([line]) => `${page}: ${line.trim()}`),
		);
		expect(indented).toEqual([]);
	});

	it("are marked as what they are", () => {
		const unmarked = blocks
			.filter((block) => !scripts.includes(block))
			.filter(({ text }) => /^(raftctl|raftd) /.test(text))
			.map(({ page, line }) => `${page}:${line}`);
		expect(unmarked).toEqual([]);
	});

	const lines = scripts.flatMap(({ page, line, text }) =>
		linesOf("raftctl", text).map((words) => ({ page, line, words })),
	);

	it.each(lines.map(({ page, line, words }) => [page, line, words] as const))(
		"%s:%i is taken by raftctl: %j",
		async (_page, _line, words) => {
			await parseCommandLine(words);
		},
	);

	it("name only what raftd takes", () => {
		const usage = read("src/daemon/main.ts");
		const unknown = scripts
			.flatMap(({ page, text }) =>
				linesOf("raftd", text).flatMap((words) =>
					words
						.filter((word) => word.startsWith("--"))
						.map((word) => ({ page, flag: word.split("=", 1)[0] ?? "" })),
				),
			)
			.filter(({ flag }) => !usage.includes(`${flag} `))
			.map(({ page, flag }) => `${page} ${flag}`);
		expect(unknown).toEqual([]);
	});
});

describe("a command that is named in passing", () => {
	it("exists, with its flags, wherever a document names one", () => {
		const wrong = pages.flatMap((page) =>
			[...read(page).matchAll(/`raftctl ([^`\n]+)`/g)]
				.map(([, text = ""]) => text)
				.filter((text) => !/^(help )?[<…]/.test(text))
				.flatMap((text) => unknownIn(text, page)),
		);
		expect(wrong).toEqual([]);
	});

	it("exists, with its flags, wherever raftctl says what to type next", () => {
		const wrong = sources("src/operations").flatMap((path) =>
			[...read(path).matchAll(/commandFor\([^,]+,\s*(["`])(.*?)\1/gs)].flatMap(
				([, , text = ""]) => unknownIn(withoutHoles(text), path),
			),
		);
		expect(wrong).toEqual([]);
	});
});

/** Commands and flags that there are not; arguments and values may be missing. */
function unknownIn(text: string, where: string): readonly string[] {
	const [words = []] = commandLines(text);
	if (words[0]?.startsWith("-")) return [];
	const named = words[0] === "help" ? words.slice(1) : words;
	const found = commandOf(commandTable, named);
	if (found === null) {
		const isTopic = wordsBelow(commandTable, leading(named)).length > 0;
		return isTopic ? [] : [`${where}: raftctl ${text}`];
	}
	const known = [...Object.keys(found.command.flags), "help"];
	return words
		.filter((word) => word.startsWith("--") && word !== "--")
		.map((word) => word.slice(2).split("=", 1)[0] ?? "")
		.filter((flag) => !known.includes(flag))
		.map((flag) => `${where}: raftctl ${text} has no --${flag}`);
}

function withoutHoles(template: string): string {
	return template.replace(/\$\{[^}]*\}/g, "x");
}

function sources(directory: string): readonly string[] {
	return readdirSync(join(root, directory), { recursive: true })
		.map(String)
		.filter((path) => path.endsWith(".ts"))
		.map((path) => `${directory}/${path}`);
}

function isFenced(page: string, index: number): boolean {
	const before = read(page).slice(0, index);
	return (before.match(/^```/gm) ?? []).length % 2 === 1;
}
