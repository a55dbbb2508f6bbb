import { Flags } from "@oclif/core";
import { lockWaitFlag } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { transferLeader } from "../src/operations/transfer-leader.js";

export default class TransferLeader extends OperatorCommand<
	typeof TransferLeader
> {
	static override summary = "Hand leadership to another voter.";
	static override description =
		"To the most caught-up voter, or to the one named. A voter that is down, lagging or draining is refused. Returns once a quorum follows the new leader; if the transfer fails, the old one goes on leading.";
	static override examples = [
		"<%= config.bin %> transfer-leader",
		"<%= config.bin %> transfer-leader --to n2",
	];
	static override flags = {
		to: Flags.string({ helpValue: "<node>", summary: "The next leader." }),
		"lock-wait": lockWaitFlag,
	};

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), (context) =>
			transferLeader(context, {
				to: this.flags.to ?? null,
				lockWaitMs: this.flags["lock-wait"],
			}),
		);
		const { from, to, changed, durationMs } = report;
		await this.print(report, () =>
			changed
				? `leadership went from ${from} to ${to} in ${Math.round(durationMs)} ms`
				: `${to} leads already`,
		);
	}
}
