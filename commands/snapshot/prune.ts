import { resolve } from "node:path";
import { Flags } from "@oclif/core";
import { ClusterCommand } from "../../src/cli/cluster-command.js";
import { pruneSnapshots } from "../../src/operations/snapshots/prune.js";

export default class SnapshotPrune extends ClusterCommand<
	typeof SnapshotPrune
> {
	static override summary = "Remove older snapshots from a directory.";
	static override description =
		"Of this machine. Only whole snapshot files of this very cluster are counted and removed; everything else stays, and snapshots of another cluster are named. Shows what goes, and asks.";
	static override examples = [
		"<%= config.bin %> snapshot prune --directory /backups --keep 7 --dry-run",
		"<%= config.bin %> snapshot prune --directory /backups --keep 7 --yes",
	];
	static override flags = {
		directory: Flags.string({
			required: true,
			helpValue: "<path>",
			summary: "Where the files are.",
		}),
		keep: Flags.integer({
			required: true,
			min: 1,
			helpValue: "<count>",
			summary: "How many stay: the newest.",
		}),
		"dry-run": Flags.boolean({ summary: "Say what would go; remove nothing." }),
	};

	async run(): Promise<void> {
		const { keep, "dry-run": dryRun } = this.flags;
		const inventory = await this.inventory();
		if (!dryRun) this.requireAnswer("Remove older snapshots?");
		const { prunedText, removalQuestion } = await import(
			"../../src/cli/prune-text.js"
		);
		const report = await pruneSnapshots(
			{ programs: this.programs(), signal: this.signal },
			inventory,
			{
				...{ directory: resolve(this.flags.directory), keep, dryRun },
				confirm: (removed) => this.confirm(removalQuestion(removed)),
			},
		);
		await this.print(report, () => prunedText(report));
	}
}
