import {
	canaryFlags,
	canaryUse,
	durationFlag,
	lockWaitFlag,
	nodeFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { rollChecks } from "../src/operations/roll/options.js";
import {
	planRollingRestart,
	rollingRestart,
} from "../src/operations/rolling-restart.js";

export default class RollingRestart extends OperatorCommand<
	typeof RollingRestart
> {
	static override summary = "Restart nodes one by one; nobody notices.";
	static override description =
		"Learners and followers first, the leader last. Before each stop every voter is asked, and the roll ends rather than risk the quorum. Connections are moved, paced, and the next node waits until this one is a full member again. Shows its plan and asks before anything is touched. --yes skips no check; --skip leaves out one check by its name.";
	static override examples = [
		"<%= config.bin %> rolling-restart --dry-run",
		"<%= config.bin %> rolling-restart --yes --lock-wait 15m",
		"<%= config.bin %> rolling-restart --node n2 --skip=drain",
		"<%= config.bin %> rolling-restart --yes --max-failed 0 --max-stall 2s --report roll.xml",
	];
	static override flags = {
		node: nodeFlag,
		...planFlags,
		"lock-wait": lockWaitFlag,
		skip: skipFlag(rollChecks),
		...canaryFlags,
		report: reportFlag,
		settle: durationFlag({
			summary: "How long a restarted node must stay ready before the next.",
		}),
		"drain-timeout": durationFlag({
			summary: "How long connections may take to leave a node.",
		}),
		"close-over": durationFlag({
			summary: "Close a node's connections evenly over this time.",
		}),
		"start-timeout": durationFlag({
			summary: "How long a node may take to become ready.",
		}),
		"stop-timeout": durationFlag({
			summary: "How long a node may take to stop.",
		}),
	};

	async run(): Promise<void> {
		const { node, skip } = this.flags;
		const inventory = await this.inventory();
		const which =
			node.length === 0 ? "every node" : [...new Set(node)].join(", ");
		const question = `Restart ${which} of ${inventory.name}, one after the other?`;
		const wish = { nodes: node, skip, settings: this.#settings() };
		await this.planOrRun(this.flags, {
			withContext,
			...{ inventory, question },
			plan: (context) => planRollingRestart(context, wish),
			run: (context) =>
				rollingRestart(context, {
					...{ ...wish, lockWaitMs: this.flags["lock-wait"] },
					confirm: () => this.confirm(question),
					canary: canaryUse(this.flags),
				}),
			text: async (report) =>
				(await import("../src/cli/roll-text.js")).rollText(report),
		});
	}

	#settings() {
		const given = {
			settleMs: this.flags.settle,
			drainTimeoutMs: this.flags["drain-timeout"],
			closeOverMs: this.flags["close-over"],
			startTimeoutMs: this.flags["start-timeout"],
			stopTimeoutMs: this.flags["stop-timeout"],
		};
		return Object.fromEntries(
			Object.entries(given).filter(([, ms]) => ms !== undefined),
		);
	}
}
