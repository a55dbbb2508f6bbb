import { OperatorError } from "../errors.js";
import {
	type CommandTable,
	helpFlag,
	leading,
	nameOf,
	wordsBelow,
} from "./command-table.js";
import { didYouMean, likely } from "./suggestion.js";

/** The error for words that name no command. */
export function unknownCommand(
	words: readonly string[],
	table: CommandTable,
	cause: Error,
): OperatorError {
	const [first = ""] = words;
	if (first.startsWith("-"))
		return new OperatorError(
			"usage",
			`"${first.split("=", 1)[0]}" stands where a command is expected: flags come behind it`,
			{ state: "nothing was touched", next: "raftctl --help", cause },
		);
	const topic = topicOf(table, leading(words));
	// `certs --help x`: it is the word that is wrong.
	const left = words.slice(topic.length);
	const word = left.find((one) => one !== `--${helpFlag}`) ?? "";
	const known = wordsBelow(table, topic);
	const meant =
		likely(word, known) ?? (topic.length === 0 ? leaf(table, word) : null);
	const where = topic.join(" ");
	const names = [...topic, ...(meant === null ? [] : [meant])].join(" ");
	return new OperatorError(
		"usage",
		`${topic.length === 0 ? "there is" : `"${where}" has`} no command "${word}"${didYouMean(meant === null ? null : names)}`,
		{
			state: "nothing was touched",
			next: `raftctl ${names === "" ? "" : `${names} `}--help`,
			cause,
		},
	);
}

/** The longest beginning that leads to commands. */
function topicOf(
	table: CommandTable,
	words: readonly string[],
): readonly string[] {
	let length = 0;
	while (
		length < words.length &&
		wordsBelow(table, words.slice(0, length)).includes(words[length] ?? "")
	)
		length += 1;
	return words.slice(0, length);
}

/** `raftctl resume` means `raftctl operation resume`, if nothing else ends so. */
function leaf({ commands }: CommandTable, word: string): string | null {
	const [only, ...others] = commands.filter(
		({ id, hidden }) => !hidden && id.endsWith(`:${word}`),
	);
	return only === undefined || others.length > 0 ? null : nameOf(only);
}
