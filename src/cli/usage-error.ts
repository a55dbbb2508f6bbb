import { OperatorError } from "../errors.js";
import {
	type CommandEntry,
	type CommandTable,
	commandOf,
	helpFlag,
	leading,
	nameOf,
	wordsBelow,
} from "./command-table.js";
import { didYouMean, likely } from "./suggestion.js";
import { unknownCommand } from "./unknown-command.js";

/**
 * What was typed wrongly, in our own words: oclif's errors name neither the nearest right word nor what to type next.
 * Where they carry what they are about it is read from them; else from their sentences, which a pinned oclif and the
 * tests through the real program hold still.
 */
export function usageError(
	error: Error,
	argv: readonly string[],
	table: CommandTable,
): OperatorError {
	const words = argv[0] === "help" ? argv.slice(1) : argv;
	const found = commandOf(table, words);
	if (found === null) return unknownCommand(words, table, error);
	const { command, rest } = found;
	const extra = leading(rest)[0] ?? behindHelp(error, command, rest);
	const below = wordsBelow(table, command.id.split(":"));
	// "upgrade" is a command and has commands below it: a second word was meant for one of these.
	if (extra !== undefined && below.length > 0 && hasNoArguments(command))
		return unknownCommand(words, table, error);
	const { sentence, problems = [] } =
		isUnknownCommand(error) && extra !== undefined
			? unexpectedArguments(command, [extra])
			: explain(error, command);
	const own = error instanceof OperatorError ? error : null;
	return new OperatorError("usage", sentence, {
		problems,
		state: own?.state ?? "nothing was touched",
		next: own?.next ?? `raftctl ${nameOf(command)} --help`,
		cause: error,
	});
}

/** Whether it is for `usageError` to explain: oclif's own, or one of ours from within its parsing of a flag. */
export function isTypedWrongly(error: unknown): error is Error {
	if (!(error instanceof Error)) return false;
	if (error instanceof OperatorError) return parsingFlag.test(error.message);
	return "oclif" in error && (error as NodeJS.ErrnoException).code !== "EEXIT";
}

interface Explanation {
	readonly sentence: string;
	readonly problems?: readonly string[];
}

const parsingFlag = /^Parsing --(\S+) \n\t/;

function isUnknownCommand({ message }: Error): boolean {
	return unknownId(message) !== null;
}

function unknownId(message: string): string | null {
	return /^command (\S+) not found/i.exec(message)?.[1] ?? null;
}

/** Behind `--help` oclif takes a word for a part of the command's name: `status --help x`. */
function behindHelp(
	{ message }: Error,
	{ id }: CommandEntry,
	rest: readonly string[],
): string | undefined {
	const sought = unknownId(message);
	if (!sought?.startsWith(`${id}:`)) return undefined;
	const left = sought.slice(id.length + 1);
	return rest.find((word) => word !== "" && left.startsWith(word));
}

function explain(error: Error, command: CommandEntry): Explanation {
	const { flags, args } = error as { flags?: unknown; args?: unknown };
	if (Array.isArray(flags) && flags.every(isText))
		return unknownFlags(command, flags);
	if (Array.isArray(args) && args.every(isText))
		return unexpectedArguments(command, args);
	if (Array.isArray(args)) return missingArguments(command, args);
	const text = plain(error.message);
	const parsed = parsingFlag.exec(text);
	if (parsed !== null)
		return {
			sentence: `--${parsed[1]}: ${valueSentence(text.slice(parsed[0].length), command)}`,
		};
	const [first = "", ...lines] = text.split("\n").map((line) => line.trim());
	if (!/^The following errors? occurred:$/.test(first))
		return { sentence: valueSentence(text, command) };
	const [only = first, ...more] = lines
		.filter((line) => line !== "")
		.map(constraintSentence);
	return more.length === 0
		? { sentence: only }
		: {
				sentence: `"${nameOf(command)}" cannot be given so`,
				problems: [only, ...more],
			};
}

function unknownFlags(
	command: CommandEntry,
	flags: readonly string[],
): Explanation {
	const known = [
		...Object.entries(command.flags).flatMap(([name, { hidden }]) =>
			hidden ? [] : [name],
		),
		helpFlag,
	];
	const [only = "", ...more] = flags.map((typed) => {
		const flag = withoutValue(typed);
		const meant = likely(flag.replace(/^-+/, ""), known);
		return `${flag}${didYouMean(meant === null ? null : `--${meant}`)}`;
	});
	const which = `"${nameOf(command)}" has no`;
	return more.length === 0
		? { sentence: `${which} flag ${only}` }
		: { sentence: `${which} such flags`, problems: [only, ...more] };
}

function unexpectedArguments(
	command: CommandEntry,
	args: readonly string[],
): Explanation {
	const taken = Object.keys(command.args);
	const all = args.map((arg) => `"${arg}"`).join(", ");
	const name = nameOf(command);
	return {
		sentence:
			taken.length === 0
				? `"${name}" takes no arguments, and ${all} was given`
				: `"${name}" takes only ${taken.map((arg) => `<${arg}>`).join(" ")}, and ${all} was given besides`,
	};
}

function missingArguments(
	command: CommandEntry,
	args: readonly unknown[],
): Explanation {
	const missing = args.map((arg) => (arg as { name: string }).name);
	return {
		sentence: `"${nameOf(command)}" lacks ${missing.map((name) => `<${name}>`).join(" ")}`,
		problems: missing.map(
			(name) => `<${name}>: ${command.args[name]?.description ?? ""}`,
		),
	};
}

function hasNoArguments({ args }: CommandEntry): boolean {
	return Object.keys(args).length === 0;
}

/** What is wrong with a flag's or an argument's value. */
function valueSentence(text: string, command: CommandEntry): string {
	const flag = /^Expected --([\w-]+)=(.*) to be one of: (.*)$/s.exec(text);
	if (flag !== null) {
		const [, name = "", given = ""] = flag;
		return `--${name} ${choice(given, command.flags[name]?.options ?? [])}`;
	}
	const argument = /^Expected (.*) to be one of: (.*)$/s.exec(text);
	if (argument !== null) {
		const [, given = "", options = ""] = argument;
		const known = options.split(", ");
		const [name] =
			Object.entries(command.args).find(
				([, one]) => one.options?.join() === known.join(),
			) ?? [];
		return `<${name ?? "argument"}> ${choice(given, known)}`;
	}
	const one = /^Flag (--[\w-]+) expects one of these values: (.*)$/.exec(text);
	if (one !== null) return `${one[1]} needs a value, one of ${one[2]}`;
	const lonely = /^Flag (--[\w-]+) expects a value$/.exec(text);
	if (lonely !== null) return `${lonely[1]} needs a value`;
	const twice = /^Flag (--[\w-]+) can only be specified once$/.exec(text);
	if (twice !== null) return `${twice[1]} is given more than once`;
	const whole =
		/^Expected an integer( (?:greater|less) than or equal to (-?\d+))? but received: ?(.*)$/s.exec(
			text,
		);
	if (whole === null) return text;
	const [, bounded, bound, given] = whole;
	if (bounded === undefined) return `"${given}" is not a whole number`;
	return `${given} is too ${bounded.includes("less") ? "large, the largest" : "small, the smallest"} is ${bound}`;
}

/** What is wrong with flags beside each other. */
function constraintSentence(reason: string): string {
	const missing = /^Missing required flag ([\w-]+)$/.exec(reason);
	if (missing !== null) return `--${missing[1]} is missing`;
	const needs =
		/^All of the following must be provided when using (--[\w-]+): (.*)$/.exec(
			reason,
		);
	if (needs !== null) return `${needs[1]} is nothing without ${needs[2]}`;
	const exclusive =
		/^(--[\w-]+)(?:=.*)? cannot also be provided when using (--[\w-]+)$/s.exec(
			reason,
		);
	if (exclusive !== null)
		return `${exclusive[2]} and ${exclusive[1]} exclude each other`;
	const among =
		/^(Exactly|At least) one of the following must be provided: (.*)$/.exec(
			reason,
		);
	if (among === null) return reason;
	return `${among[1]?.toLowerCase()} one of ${among[2]} must be given`;
}

function choice(given: string, known: readonly string[]): string {
	return `cannot be "${given}": it is one of ${known.join(", ")}${didYouMean(likely(given, known))}`;
}

/** A value may be a secret, typed behind a flag that there is not. */
function withoutValue(flag: string): string {
	return flag.split("=", 1)[0] ?? flag;
}

function isText(value: unknown): value is string {
	return typeof value === "string";
}

/** Without colours, and without the advice that we give ourselves. */
function plain(message: string): string {
	const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
	return message
		.replace(escapes, "")
		.replace(/\s*See more help with --help\s*$/, "")
		.trim();
}
