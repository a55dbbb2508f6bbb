import { Args, Flags } from "@oclif/core";
import {
	KeyValueCommand,
	keyValueFlags,
	readFlags,
	readOptions,
	shownText,
} from "../../src/cli/kv-command.js";
import { listKeys, type ShownItem } from "../../src/operations/kv.js";

export default class KvList extends KeyValueCommand<typeof KvList> {
	static override summary = "List keys and values, in the order of the keys.";
	static override description =
		"One line a key: key, tab, value. When there are more than the limit, the last line on stderr says how to go on.";
	static override examples = [
		"<%= config.bin %> kv list",
		"<%= config.bin %> kv list user/ --limit 10 --after user/ann",
	];
	static override args = {
		prefix: Args.string({ default: "", description: "Keys that begin so." }),
	};
	static override flags = {
		...keyValueFlags,
		...readFlags,
		limit: Flags.integer({
			min: 1,
			max: 1000,
			default: 100,
			summary: "At most so many.",
		}),
		after: Flags.string({
			helpValue: "<key>",
			summary: "Go on behind this key.",
		}),
	};

	async run(): Promise<void> {
		const { prefix } = this.args;
		const { limit, after } = this.flags;
		const { items, more } = await listKeys(
			await this.target(this.flags),
			{ prefix, limit, after: after ?? null },
			readOptions(this.flags),
		);
		const last = items.at(-1);
		if (more && last !== undefined)
			this.emit({
				type: "warning",
				node: null,
				message: `there are more; go on with --after ${shownText(last.key)}`,
			});
		await this.printLines({ items, more }, items.map(lineOf));
	}
}

function lineOf({ key, value }: ShownItem): string {
	return `${shownText(key)}\t${shownText(value)}`;
}
