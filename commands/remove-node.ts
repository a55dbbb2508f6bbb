import { Args } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	MembershipCommand,
	membershipFlags,
} from "../src/cli/membership-command.js";
import { changing } from "../src/operations/membership/change-members.js";
import { removeNode } from "../src/operations/membership/remove-node.js";

export default class RemoveNode extends MembershipCommand<typeof RemoveNode> {
	static override summary =
		"Take a member out for good, a dead one too, and stop it.";
	static override description =
		"A snapshot is taken first, connections are moved, a leader hands over. Its data directory is kept, and the result says where. Refused while fewer of the voters that remain are connected than a majority.";
	static override examples = [
		"<%= config.bin %> remove-node n3",
		"<%= config.bin %> remove-node n3 --dry-run",
		"<%= config.bin %> remove-node n3 --yes --skip=snapshot",
	];
	static override args = {
		node: Args.string({ required: true, description: "The member." }),
	};
	static override flags = {
		...membershipFlags,
		skip: skipFlag(["quorum", "snapshot", "balancer", "drain"]),
	};

	async run(): Promise<void> {
		const { node } = this.args;
		const { skip } = this.flags;
		const wish = { node, skip };
		const make = () => removeNode(wish);
		const question = `Remove ${node} from the cluster and stop it?`;
		await this.change(this.flags, question, { ...changing, make });
	}
}
