import { Args, Flags } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	catchUpFlag,
	MembershipCommand,
	membershipFlags,
} from "../src/cli/membership-command.js";
import { changing } from "../src/operations/membership/change-members.js";
import { promote } from "../src/operations/membership/promote.js";

export default class Promote extends MembershipCommand<typeof Promote> {
	static override summary = "Let a learner vote.";
	static override description =
		"Waits until it has caught up; with --no-wait it is refused with numbers instead. Refused while fewer of the new voters are connected than a majority.";
	static override examples = [
		"<%= config.bin %> promote n4",
		"<%= config.bin %> promote n4 --timeout 30m --yes",
		"<%= config.bin %> promote n4 --no-wait",
	];
	static override args = {
		node: Args.string({ required: true, description: "The learner." }),
	};
	static override flags = {
		wait: Flags.boolean({
			allowNo: true,
			default: true,
			summary: "Wait until it has caught up.",
		}),
		timeout: catchUpFlag,
		...membershipFlags,
		skip: skipFlag(["quorum", "catch-up"]),
	};

	async run(): Promise<void> {
		const { node } = this.args;
		const { wait, skip, timeout: timeoutMs } = this.flags;
		const wish = { node, wait, skip, timeoutMs };
		const make = () => promote(wish);
		const question = `Let ${node} vote?`;
		await this.change(this.flags, question, { ...changing, make });
	}
}
