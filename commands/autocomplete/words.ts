import { ClusterCommand } from "../../src/cli/cluster-command.js";
import { complete, configOf } from "../../src/cli/completion/completion.js";
import { nodeIds } from "../../src/cli/completion/node-ids.js";

/** What the scripts of `autocomplete` call while somebody types. */
export default class AutocompleteWords extends ClusterCommand<
	typeof AutocompleteWords
> {
	static override hidden = true;
	static override strict = false;
	static override summary = "The words that may come next.";
	static override description =
		"Behind `--` stands what was typed behind `raftctl`, the word to be completed last. Prints a line for each word, with a tab and what it means, and at the end :files or :directories where such may stand, else :words.";
	static override examples = ["<%= config.bin %> autocomplete words -- kv g"];

	async run(): Promise<void> {
		// As typed: the parsed ones are sorted.
		const words = this.argv.slice(this.argv.indexOf("--") + 1);
		const { candidates, more, prefix } = complete(words, this.config);
		const nodes =
			more === "nodes"
				? await nodeIds(configOf(words, this.flags.config), process.cwd())
				: [];
		const typed = words.at(-1) ?? "";
		const all = [
			...candidates,
			...nodes
				.map((id) => ({ word: `${prefix}${id}`, summary: "node" }))
				.filter(({ word }) => word.startsWith(typed)),
		];
		const others = more === "nodes" || more === null ? "words" : more;
		await this.print({ words: all, others }, () =>
			[
				...all.map(({ word, summary }) => `${word}\t${summary}`),
				`:${others}`,
			].join("\n"),
		);
	}
}
