import { Args, Flags } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	planFlags,
	reportFlag,
} from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { OperatorError } from "../src/errors.js";
import { withContext } from "../src/operations/open-context.js";
import {
	planTransfer,
	transferLeader,
} from "../src/operations/transfer-leader.js";

export default class TransferLeader extends OperatorCommand<
	typeof TransferLeader
> {
	static override summary = "Hand leadership to another voter.";
	static override description =
		"To the most caught-up voter, or to the one named. A voter that is down, lagging or draining is refused. Returns once a quorum follows the new leader; if the transfer fails, the old one goes on leading.";
	static override examples = [
		"<%= config.bin %> transfer-leader",
		"<%= config.bin %> transfer-leader n2",
		"<%= config.bin %> transfer-leader --to n2 --dry-run",
	];
	static override args = {
		to: Args.string({ description: "The next leader; or give --to." }),
	};
	static override flags = {
		...planFlags,
		to: Flags.string({ helpValue: "<node>", summary: "The next leader." }),
		"lock-wait": lockWaitFlag,
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const wish = { to: this.#target() };
		await this.planOrRun(this.flags, {
			withContext,
			plan: (context) => planTransfer(context, wish),
			run: (context) =>
				transferLeader(context, {
					...{ ...wish, lockWaitMs: this.flags["lock-wait"] },
					canary: canaryUse(this.flags),
				}),
			text: ({ from, to, changed, transferMs }) =>
				changed
					? `leadership went from ${from} to ${to} in ${Math.round(transferMs)} ms`
					: `${to} leads already`,
		});
	}

	/** Null for the most caught-up voter. */
	#target(): string | null {
		const { to: argument } = this.args;
		const { to: flag } = this.flags;
		if (argument !== undefined && flag !== undefined && argument !== flag)
			throw new OperatorError(
				"usage",
				`one node can lead, and two are named: ${argument} and ${flag}`,
				{ state: "nothing was touched", next: "name one of them" },
			);
		return argument ?? flag ?? null;
	}
}
