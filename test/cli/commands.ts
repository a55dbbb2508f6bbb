import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Command, Parser } from "@oclif/core";
import {
	type CommandTable,
	commandOf,
	leading,
	wordsBelow,
} from "../../src/cli/command-table.js";

const directory = join(import.meta.dirname, "..", "..", "commands");

type CommandClass = Command.Class & { readonly baseFlags?: object };

/** Every command of the source tree, by its id ("kv:get"), as the build finds them. */
export const commandClasses: ReadonlyMap<string, CommandClass> = new Map(
	await Promise.all(
		commandFiles("").map(async (file): Promise<[string, CommandClass]> => {
			const module = await import(join(directory, file));
			const id = file.replace(/\.ts$/, "").replaceAll("/", ":");
			return [id, module.default];
		}),
	),
);

function commandFiles(below: string): string[] {
	return readdirSync(join(directory, below), { withFileTypes: true }).flatMap(
		(entry) => {
			const path = below === "" ? entry.name : `${below}/${entry.name}`;
			if (entry.isDirectory()) return commandFiles(path);
			return path.endsWith(".ts") ? [path] : [];
		},
	);
}

function flagsOf({ baseFlags, flags }: CommandClass) {
	return { ...baseFlags, ...flags };
}

export const commandTable: CommandTable = {
	commands: [...commandClasses].map(([id, command]) => ({
		id,
		summary: command.summary,
		hidden: command.hidden,
		flags: flagsOf(command),
		args: command.args,
	})),
};

/** Parses as raftctl would, and runs nothing. Throws what oclif throws. */
export async function parseCommandLine(
	words: readonly string[],
): Promise<void> {
	if (words[0] === "--version" || asksForHelp(words)) return;
	const found = commandOf(commandTable, words);
	if (found === null) {
		const topic = leading(words);
		if (topic.length > 0 && wordsBelow(commandTable, topic).length > 0) return;
		throw new Error(`command ${words.join(":")} not found`);
	}
	const { command, rest } = found;
	const { args, strict } = commandClasses.get(command.id) as CommandClass;
	await atTerminal(() =>
		Parser.parse([...rest], {
			flags: { ...command.flags } as never,
			args: args as never,
			strict: strict !== false,
		}),
	);
}

/** Where it is none, oclif waits at each line for an argument from stdin, and leaves its listeners there. */
async function atTerminal(parse: () => Promise<unknown>): Promise<void> {
	const { stdin } = process;
	const was = Object.getOwnPropertyDescriptor(stdin, "isTTY");
	Object.defineProperty(stdin, "isTTY", { value: true, configurable: true });
	try {
		await parse();
	} finally {
		if (was === undefined) Reflect.deleteProperty(stdin, "isTTY");
		else Object.defineProperty(stdin, "isTTY", was);
	}
}

function asksForHelp(words: readonly string[]): boolean {
	const [first] = words;
	if (first !== "help" && !words.includes("--help") && !words.includes("-h"))
		return false;
	const named = leading(first === "help" ? words.slice(1) : words);
	return (
		commandOf(commandTable, named) !== null ||
		named.length === 0 ||
		wordsBelow(commandTable, named).length > 0
	);
}
