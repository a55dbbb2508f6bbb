import { Args } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	catchUpFlag,
	givenNode,
	MembershipCommand,
	membershipFlags,
	nodeFlags,
} from "../src/cli/membership-command.js";
import { changing } from "../src/operations/membership/change-members.js";
import { replaceNode } from "../src/operations/membership/replace-node.js";

export default class ReplaceNode extends MembershipCommand<typeof ReplaceNode> {
	static override summary = "Put one node in the place of another.";
	static override description =
		"One operation: the new one is started, added as a learner and catches up; then one change lets it vote and removes the old one, which is stopped. There is never a voter less than before. The old one may be dead.";
	static override examples = [
		"<%= config.bin %> replace-node n3 n4",
		"<%= config.bin %> replace-node n3 n4 --dry-run",
		"<%= config.bin %> replace-node n3 n4 --yes --timeout 30m",
	];
	static override args = {
		old: Args.string({ required: true, description: "The member that goes." }),
		new: Args.string({ required: true, description: "The node that comes." }),
	};
	static override flags = {
		timeout: catchUpFlag,
		...nodeFlags,
		...membershipFlags,
		skip: skipFlag(["quorum", "catch-up", "snapshot", "balancer", "drain"]),
	};

	async run(): Promise<void> {
		const { skip, timeout: timeoutMs } = this.flags;
		const wish = {
			...this.args,
			skip,
			timeoutMs,
			given: givenNode(this.flags),
		};
		const make = () => replaceNode(wish);
		const question = `Put ${this.args.new} in the place of ${this.args.old}?`;
		await this.change(this.flags, question, { ...changing, make });
	}
}
