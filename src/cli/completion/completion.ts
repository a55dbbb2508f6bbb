import {
	type CommandEntry,
	type CommandTable,
	commandOf,
	type FlagEntry,
	helpFlag,
	leading,
	wordsBelow,
} from "../command-table.js";

interface Candidate {
	/** The whole word, as it would stand on the command line. */
	readonly word: string;
	/** One line; may be empty. */
	readonly summary: string;
}

export interface Completion {
	readonly candidates: readonly Candidate[];
	/** What else may stand there, for whoever can list it; each name follows `prefix`. */
	readonly more: "nodes" | "files" | "directories" | null;
	/** "--config=" where a value is completed behind its flag in one word, else empty. */
	readonly prefix: string;
}

/**
 * What the last of `words` may become; they are what was typed behind `raftctl`, and the last one may be empty. Knows
 * only the command table: it must answer while a key is held down.
 */
export function complete(
	words: readonly string[],
	table: CommandTable,
): Completion {
	const typed = words.at(-1) ?? "";
	const before = words.slice(0, -1);
	const path = before[0] === "help" ? before.slice(1) : before;
	const found = commandOf(table, path);
	if (found === null) return commandWords(table, path, typed);
	const { command, rest } = found;
	// A topic may be a command as well; until it has an argument, either may be meant.
	const below = rest.length === 0 ? commandWords(table, path, typed) : nothing;
	const own = afterCommand(command, rest, typed);
	return { ...own, candidates: [...below.candidates, ...own.candidates] };
}

const nothing: Completion = { candidates: [], more: null, prefix: "" };

function commandWords(
	table: CommandTable,
	path: readonly string[],
	typed: string,
): Completion {
	if (leading(path).length < path.length) return nothing;
	const candidates = wordsBelow(table, path).map((word) => {
		const id = [...path, word].join(":");
		const command = table.commands.find((one) => one.id === id);
		return { word, summary: command?.summary ?? `${word} …` };
	});
	return { ...nothing, candidates: beginning(candidates, typed) };
}

function afterCommand(
	command: CommandEntry,
	rest: readonly string[],
	typed: string,
): Completion {
	const { positionals, given, awaiting, ended } = walk(command, rest);
	if (awaiting !== null) return values(awaiting, typed, "");
	if (ended || !typed.startsWith("-"))
		return argument(command, positionals, typed);
	const [name = "", value] = split(typed);
	if (value !== null) {
		const flag = command.flags[name.slice(2)];
		return flag?.type === "option" ? values(flag, value, `${name}=`) : nothing;
	}
	return { ...nothing, candidates: beginning(flags(command, given), typed) };
}

interface Walked {
	readonly positionals: number;
	readonly given: ReadonlySet<string>;
	/** The flag whose value comes next. */
	readonly awaiting: FlagEntry | null;
	/** Behind "--": no flags any more. */
	readonly ended: boolean;
}

/** Reads the words as oclif would: `-n n1`, `-nn1`, `--node n1`, `--node=n1`. */
function walk(command: CommandEntry, words: readonly string[]): Walked {
	const given = new Set<string>();
	let positionals = 0;
	let awaiting: FlagEntry | null = null;
	for (const [position, word] of words.entries()) {
		if (awaiting !== null) {
			awaiting = null;
			continue;
		}
		if (word === "--") {
			positionals += words.length - position - 1;
			return { positionals, given, awaiting, ended: true };
		}
		if (!word.startsWith("-") || word === "-") {
			positionals += 1;
			continue;
		}
		const found = flagOf(command, word);
		if (found === null) continue;
		given.add(found.name);
		if (found.flag.type === "option" && !found.hasValue) awaiting = found.flag;
	}
	return { positionals, given, awaiting, ended: false };
}

function flagOf(
	{ flags: known }: CommandEntry,
	word: string,
): { name: string; flag: FlagEntry; hasValue: boolean } | null {
	const [long = "", value] = split(word);
	const [name, flag] =
		Object.entries(known).find(([one, { char }]) =>
			word.startsWith("--") ? long === `--${one}` : word[1] === char,
		) ?? [];
	if (name === undefined || flag === undefined) return null;
	const hasValue = word.startsWith("--") ? value !== null : word.length > 2;
	return { name, flag, hasValue };
}

function flags(
	{ flags: known }: CommandEntry,
	given: ReadonlySet<string>,
): readonly Candidate[] {
	return [
		...Object.entries(known)
			.filter(([name, { hidden, multiple }]) => {
				return !hidden && (multiple || !given.has(name));
			})
			.map(([name, { summary = "" }]) => ({ word: `--${name}`, summary })),
		{ word: `--${helpFlag}`, summary: "What the command takes." },
	];
}

function values(
	{ options = [], helpValue }: FlagEntry,
	typed: string,
	prefix: string,
): Completion {
	const candidates = beginning(
		options.map((word) => ({ word, summary: "" })),
		typed,
	);
	return {
		candidates: candidates.map(({ word, summary }) => ({
			word: `${prefix}${word}`,
			summary,
		})),
		more: kinds[String(helpValue)] ?? null,
		prefix,
	};
}

const kinds: Readonly<Record<string, Completion["more"]>> = {
	"<node>": "nodes",
	"<file>": "files",
	"<directory>": "directories",
};

/** Arguments say by their names what they are. */
const argumentKinds: Readonly<Record<string, Completion["more"]>> = {
	...{ node: "nodes", nodes: "nodes", old: "nodes", to: "nodes" },
	...{ file: "files", snapshot: "files" },
};

function argument(
	{ args }: CommandEntry,
	position: number,
	typed: string,
): Completion {
	const [name, entry] = Object.entries(args)[position] ?? [];
	if (name === undefined || entry === undefined) return nothing;
	const options = (entry.options ?? []).map((word) => ({ word, summary: "" }));
	return {
		candidates: beginning(options, typed),
		more: argumentKinds[name] ?? null,
		prefix: "",
	};
}

function split(word: string): [string, string | null] {
	const at = word.indexOf("=");
	return at === -1 ? [word, null] : [word.slice(0, at), word.slice(at + 1)];
}

function beginning(
	candidates: readonly Candidate[],
	typed: string,
): readonly Candidate[] {
	return candidates.filter(({ word }) => word.startsWith(typed));
}

/** The cluster file that the words name, as raftctl would take it; `fallback` when they name none. */
export function configOf(words: readonly string[], fallback: string): string {
	for (const [position, word] of words.slice(0, -1).entries()) {
		if (word === "-c" || word === "--config")
			return words[position + 1] ?? fallback;
		const joined = /^(?:--config=|-c=?)(.+)$/.exec(word)?.[1];
		if (joined !== undefined) return joined;
	}
	return fallback;
}
