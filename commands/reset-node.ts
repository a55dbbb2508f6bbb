import { Args, Flags } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	catchUpFlag,
	MembershipCommand,
	membershipFlags,
} from "../src/cli/membership-command.js";
import { changing } from "../src/operations/membership/change-members.js";
import { resetNode } from "../src/operations/membership/reset-node.js";

export default class ResetNode extends MembershipCommand<typeof ResetNode> {
	static override summary =
		"Give a member an empty disk; it catches up and votes again.";
	static override description =
		"For a disk that is damaged or was put back from a copy. The node is drained, removed from the members, stopped, its data set aside, and added again with a new incarnation. Meanwhile the cluster has one voter less; refused when that would leave no quorum.";
	static override examples = [
		"<%= config.bin %> reset-node n2",
		"<%= config.bin %> reset-node n2 --dry-run",
		"<%= config.bin %> reset-node n2 --yes --discard",
	];
	static override args = {
		node: Args.string({ required: true, description: "The member." }),
	};
	static override flags = {
		discard: Flags.boolean({
			summary: "Remove the old data instead of keeping it beside.",
		}),
		timeout: catchUpFlag,
		...membershipFlags,
		skip: skipFlag(["quorum", "catch-up", "snapshot", "balancer", "drain"]),
	};

	async run(): Promise<void> {
		const { node } = this.args;
		const { discard, skip, timeout: timeoutMs } = this.flags;
		const wish = { node, discard, skip, timeoutMs };
		const make = () => resetNode(wish);
		const question = `Give ${node} an empty disk${discard ? " and discard its data" : ""}?`;
		await this.change(this.flags, question, { ...changing, make });
	}
}
