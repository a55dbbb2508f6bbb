import { resolve } from "node:path";
import { Flags } from "@oclif/core";
import { indexFlag } from "../src/cli/flags.js";
import { OfflineCommand, offlineFlags } from "../src/cli/offline-command.js";
import { OperatorError } from "../src/errors.js";
import { dump } from "../src/operations/dump.js";

export default class Dump extends OfflineCommand<typeof Dump> {
	static override summary = "Show the log of a node, entry by entry.";
	static override description =
		"Reads the log in a data directory of this machine, or one of its snapshots, changes nothing, and prints one line for each entry. Exits with 11 when the log is damaged: then what comes before the damage is shown.";
	static override examples = [
		"<%= config.bin %> dump --data-dir /var/lib/raftd/n1 | head",
		"<%= config.bin %> dump --data-dir /var/lib/raftd/n1 --from 1200 -o ndjson",
		"<%= config.bin %> dump --data-dir /var/lib/raftd/n1 --snapshot 1000",
	];
	static override flags = {
		...offlineFlags,
		from: indexFlag({ summary: "The first entry to show." }),
		to: indexFlag({ summary: "The last entry to show." }),
		snapshot: indexFlag({
			exclusive: ["from", "to"],
			summary: "Show the snapshot at this index instead.",
		}),
		app: Flags.string({
			helpValue: "<file>",
			summary: "The module of the state machine, to read its commands with.",
		}),
	};

	async run(): Promise<void> {
		const { from, to, snapshot, app } = this.flags;
		const { outputMode } = this;
		if (outputMode === "json" || outputMode === "yaml")
			throw new OperatorError(
				"usage",
				`a log is too long for one document: there is no ${outputMode} of it`,
				{
					state: "nothing was changed",
					next: "give --output ndjson: one JSON object a line",
				},
			);
		const code = await dump(await this.offline(this.flags["data-dir"]), {
			from: from ?? null,
			to: to ?? null,
			snapshot: snapshot ?? null,
			app: app === undefined ? null : resolve(app),
			ndjson: outputMode === "ndjson",
		});
		this.exitWith(code);
	}
}
