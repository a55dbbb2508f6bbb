import { Flags } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	durationFlag,
	lockWaitFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import type { Inventory } from "../../src/config/inventory.js";
import { OperatorError } from "../../src/errors.js";
import { withContext } from "../../src/operations/open-context.js";
import { listSnapshots } from "../../src/operations/snapshots/list.js";
import {
	planSchedule,
	type Schedule,
	scheduleChecks,
	scheduleSnapshots,
	scheduleTarget,
} from "../../src/operations/snapshots/schedule.js";

export default class SnapshotSchedule extends OperatorCommand<
	typeof SnapshotSchedule
> {
	static override summary = "Let the cluster take snapshots by itself.";
	static override description =
		"The setting is in the log, and whoever leads carries it out: at each interval a snapshot is copied to a directory of the leader's machine, older copies are removed once a newer one is whole, then the command is run and the copy is sent to S3-compatible storage, where that is set. Without flags it shows the schedule and how it fares; --off ends it.";
	static override examples = [
		"<%= config.bin %> snapshot schedule",
		"<%= config.bin %> snapshot schedule --every 1h --keep 24 --directory /var/backups/raft",
		"<%= config.bin %> snapshot schedule --every 1h --keep 24 --directory /var/backups/raft --command rsync --command '--archive' --command /var/backups/raft/ --command backup:raft/",
		"<%= config.bin %> snapshot schedule --every 1h --keep 24 --directory /var/backups/raft --s3",
		"<%= config.bin %> snapshot schedule --every 1h --directory /var/backups/raft --dry-run",
		"<%= config.bin %> snapshot schedule --off",
	];
	static override flags = {
		every: durationFlag({
			exclusive: ["off"],
			dependsOn: ["directory"],
			summary: "The interval.",
		}),
		keep: Flags.integer({
			default: 24,
			min: 1,
			max: 1_000,
			summary: "How many copies stay.",
		}),
		directory: Flags.string({
			dependsOn: ["every"],
			helpValue: "<directory>",
			summary: "Where copies go, an absolute path on every node's machine.",
		}),
		command: Flags.string({
			multiple: true,
			default: [] as string[],
			helpValue: "<word>",
			summary:
				"Run after each copy: program, then each argument. The file is $RAFTCTL_SNAPSHOT.",
		}),
		"s3-endpoint": Flags.string({
			dependsOn: ["s3-bucket"],
			helpValue: "<url>",
			summary: "S3-compatible storage to copy to, https://host:port.",
		}),
		"s3-bucket": Flags.string({
			dependsOn: ["s3-endpoint"],
			helpValue: "<bucket>",
			summary: "The bucket there.",
		}),
		"s3-prefix": Flags.string({
			default: "",
			helpValue: "<prefix>",
			summary: "What the names of objects begin with.",
		}),
		"s3-region": Flags.string({
			default: "us-east-1",
			helpValue: "<region>",
			summary: "The region to sign for.",
		}),
		s3: Flags.boolean({
			allowNo: true,
			exclusive: ["s3-endpoint"],
			summary:
				"Copy to the storage that the cluster file names; the default where it names one.",
		}),
		skip: skipFlag(scheduleChecks),
		...planFlags,
		off: Flags.boolean({ summary: "Take none any more. Copies stay." }),
		"lock-wait": lockWaitFlag,
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { off, every } = this.flags;
		if (!off && every === undefined) return this.#show();
		const inventory = await this.inventory();
		const schedule = off ? null : this.#schedule(every ?? 0, inventory);
		const wish = { schedule, skip: this.flags.skip };
		await this.planOrRun(this.flags, {
			withContext,
			inventory,
			plan: (context) => planSchedule(context, wish),
			run: (context) =>
				scheduleSnapshots(context, {
					...{ ...wish, lockWaitMs: this.flags["lock-wait"] },
					canary: canaryUse(this.flags),
				}),
			async text(report) {
				const { scheduleText } = await import("../../src/cli/snapshot-text.js");
				return scheduleText(report.schedule);
			},
		});
	}

	async #show(): Promise<void> {
		const report = await withContext(await this.operating(), listSnapshots);
		const { cluster, schedule, scheduled } = report;
		const { scheduleText, scheduledText } = await import(
			"../../src/cli/snapshot-text.js"
		);
		await this.print({ cluster, schedule, scheduled }, () =>
			[scheduleText(schedule), ...scheduledText(scheduled, Date.now())].join(
				"\n",
			),
		);
	}

	#schedule(intervalMs: number, inventory: Inventory): Schedule {
		const { directory = "", keep, command } = this.flags;
		if (!directory.startsWith("/"))
			throw new OperatorError("usage", `"${directory}" is no absolute path`, {
				state: "nothing was changed",
				next: "give --directory a path that begins with /",
			});
		const s3 = scheduleTarget(inventory, this.#askedTarget());
		return { intervalMs, keep, directory, command, s3 };
	}

	#askedTarget() {
		const { s3 } = this.flags;
		const endpoint = this.flags["s3-endpoint"];
		if (endpoint !== undefined)
			return {
				...{ endpoint, bucket: this.flags["s3-bucket"] ?? "" },
				...{ prefix: this.flags["s3-prefix"] },
				region: this.flags["s3-region"],
			};
		return s3 === undefined ? null : s3 ? "cluster-file" : "none";
	}
}
