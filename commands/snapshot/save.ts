import { Args, Flags } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { OperatorError } from "../../src/errors.js";
import { withContext } from "../../src/operations/open-context.js";
import {
	planSave,
	saveChecks,
	saveSnapshot,
} from "../../src/operations/snapshots/save.js";

export default class SnapshotSave extends OperatorCommand<typeof SnapshotSave> {
	static override summary = "Take a snapshot and copy it here.";
	static override description =
		"A caught-up follower takes it, so that the leader is not kept from its work. The file is whole under its name or not there: it is written beside it as .part. A broken connection is taken up where it broke. Overwrites nothing.";
	static override examples = [
		"<%= config.bin %> snapshot save",
		"<%= config.bin %> snapshot save /backups/orders.snapshot",
		"<%= config.bin %> snapshot save --file /backups/orders.snapshot --node n3",
		"<%= config.bin %> snapshot save --node n2 --skip=alarm",
		"<%= config.bin %> snapshot save --dry-run",
	];
	static override args = {
		file: Args.string({ description: "Where to; or give --file." }),
	};
	static override flags = {
		file: Flags.string({
			char: "f",
			helpValue: "<file>",
			summary: "Where to; by default <cluster>-<index>.snapshot, here.",
		}),
		node: Flags.string({
			char: "n",
			helpValue: "<node>",
			summary: "The node that takes it; by default a caught-up follower.",
		}),
		skip: skipFlag(saveChecks),
		...planFlags,
		"lock-wait": lockWaitFlag,
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { node, skip } = this.flags;
		const wish = {
			...{ node: node ?? null, file: this.#file(), skip },
			workingDirectory: process.cwd(),
		};
		await this.planOrRun(this.flags, {
			withContext,
			plan: (context) => planSave(context, wish),
			run: (context) =>
				saveSnapshot(context, {
					...{ ...wish, lockWaitMs: this.flags["lock-wait"] },
					canary: canaryUse(this.flags),
				}),
			text: async (report) =>
				(await import("../../src/cli/snapshot-text.js")).savedText(report),
		});
	}

	/** Null for a name of its own. */
	#file(): string | null {
		const { file: argument } = this.args;
		const { file: flag } = this.flags;
		if (argument !== undefined && flag !== undefined && argument !== flag)
			throw new OperatorError(
				"usage",
				`one file is written, and two are named: ${argument} and ${flag}`,
				{ state: "nothing was touched", next: "name one of them" },
			);
		return argument ?? flag ?? null;
	}
}
