import { resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import {
	lockWaitFlag,
	nodeFlag,
	planFlags,
	reportFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { askForName, requireName } from "../../src/cli/typed-name.js";
import { withContext } from "../../src/operations/open-context.js";
import {
	planRestore,
	restoreSnapshot,
} from "../../src/operations/snapshots/restore-snapshot.js";

export default class SnapshotRestore extends OperatorCommand<
	typeof SnapshotRestore
> {
	static override summary = "Make a new cluster of a snapshot's file.";
	static override description =
		"Every node must be down. The file's every byte is checked first; the new data is made beside the old, then put in its place, and all nodes start at once, under a new cluster id: a node of the old cluster that comes back is refused. Old data is moved aside, never removed, and only if the cluster's name is typed. Clients see the index go on far beyond the old one; sessions and subscriptions begin anew.";
	static override examples = [
		"<%= config.bin %> snapshot restore orders-1200.snapshot",
		"<%= config.bin %> snapshot restore orders-1200.snapshot --dry-run",
		"<%= config.bin %> snapshot restore orders-1200.snapshot --erase orders --yes",
	];
	static override args = {
		file: Args.string({ required: true, description: "The file." }),
	};
	static override flags = {
		node: nodeFlag,
		erase: Flags.string({
			helpValue: "<cluster>",
			summary:
				"The cluster's name: move aside the data that is there. --yes does not.",
		}),
		foreign: Flags.string({
			helpValue: "<cluster-id>",
			summary:
				"The id of the other cluster that the file is of: take it all the same. --yes does not.",
		}),
		...planFlags,
		"lock-wait": lockWaitFlag,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { erase, node: nodes } = this.flags;
		const inventory = await this.inventory();
		const { name } = inventory;
		if (erase !== undefined) requireName(erase, name, "--erase");
		const question = "Make a new cluster of this file?";
		const isTyped = erase !== undefined || this.flags.yes === true;
		const wish = {
			file: resolve(this.args.file),
			...{ nodes, erase: erase !== undefined },
			foreign: this.flags.foreign ?? null,
		};
		await this.planOrRun(this.flags, {
			withContext,
			...{ inventory, ...(isTyped ? {} : { question }) },
			plan: (context) => planRestore(context, wish),
			run: (context) =>
				restoreSnapshot(context, wish, {
					lockWaitMs: this.flags["lock-wait"],
					confirm: () => this.confirm(question),
					askName: (what) => askForName(what, name, this.signal),
				}),
			text: async (report) =>
				(await import("../../src/cli/disaster-text.js")).restoredText(report),
		});
	}
}
