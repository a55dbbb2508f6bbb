/** The commands as oclif's manifest describes them: what they are called and what they take. */
export interface CommandTable {
	readonly commands: readonly CommandEntry[];
}

export interface CommandEntry {
	/** "kv:get" */
	readonly id: string;
	readonly summary?: string | undefined;
	readonly hidden?: boolean | undefined;
	/** By long name. */
	readonly flags: Readonly<Record<string, FlagEntry>>;
	/** In the order in which they are typed. */
	readonly args: Readonly<Record<string, ArgumentEntry>>;
}

export interface FlagEntry {
	readonly type: "boolean" | "option";
	readonly char?: string | undefined;
	readonly summary?: string | undefined;
	readonly hidden?: boolean | undefined;
	/** "<file>", "<node>" */
	readonly helpValue?: string | readonly string[] | undefined;
	readonly multiple?: boolean | undefined;
	readonly options?: readonly string[] | undefined;
}

interface ArgumentEntry {
	readonly description?: string | undefined;
	readonly required?: boolean | undefined;
	readonly options?: readonly string[] | undefined;
}

/** Every flag that all commands take besides their own; oclif answers it before any command. */
export const helpFlag = "help";

/** The command that the words begin with and the words behind it; null when they name none. */
export function commandOf(
	{ commands }: CommandTable,
	words: readonly string[],
): { readonly command: CommandEntry; readonly rest: readonly string[] } | null {
	for (let length = leading(words).length; length > 0; length -= 1) {
		const id = words.slice(0, length).join(":");
		const command = commands.find((one) => one.id === id);
		if (command !== undefined) return { command, rest: words.slice(length) };
	}
	return null;
}

/** As people type it: "kv get". */
export function nameOf({ id }: Pick<CommandEntry, "id">): string {
	return id.replaceAll(":", " ");
}

/** The words that may come next below a topic, commands and topics alike; hidden ones are nobody's business. */
export function wordsBelow(
	{ commands }: CommandTable,
	topic: readonly string[],
): readonly string[] {
	const found = commands
		.filter(({ hidden }) => !hidden)
		.map(({ id }) => id.split(":"))
		.filter((parts) => topic.every((word, at) => parts[at] === word))
		.flatMap((parts) => parts[topic.length] ?? []);
	return [...new Set(found)];
}

/** Up to the first flag: what may name a command. */
export function leading(words: readonly string[]): readonly string[] {
	const flag = words.findIndex((word) => word.startsWith("-"));
	return flag === -1 ? words : words.slice(0, flag);
}
