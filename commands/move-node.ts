import { Args, Flags } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	MembershipCommand,
	membershipFlags,
	nodeFlags,
} from "../src/cli/membership-command.js";
import { changing } from "../src/operations/membership/change-members.js";
import { moveNode } from "../src/operations/membership/move-node.js";

export default class MoveNode extends MembershipCommand<typeof MoveNode> {
	static override summary = "Give a member other addresses; its data stays.";
	static override description =
		"For other ports, a machine with another address, or a disk that is in another machine by now. The members are told through the log, while the node still runs where it was; then it is drained, restarted where it is to be, and waited for, with the proofs of rolling-restart. Without a flag it goes where the cluster file says. To have the data made anew on another machine is replace-node.";
	static override examples = [
		"<%= config.bin %> move-node n2 --peer 127.0.0.1:7220 --dry-run",
		"<%= config.bin %> move-node n2 --address node2.example.net --yes",
		"<%= config.bin %> move-node n2 --host h5 --yes",
	];
	static override args = {
		node: Args.string({ required: true, description: "The member's id." }),
	};
	static override flags = {
		host: Flags.string({
			helpValue: "<host>",
			summary: "The host of the cluster file that has its data by now.",
		}),
		address: Flags.string({
			helpValue: "<name>",
			summary: "Another name or address, with the ports that it has.",
		}),
		peer: Flags.string({
			helpValue: "<host:port>",
			summary:
				"Where the other nodes reach it; the ports of client and admin move by as much.",
		}),
		client: nodeFlags.client,
		admin: nodeFlags.admin,
		...membershipFlags,
		skip: skipFlag(["quorum", "balancer", "drain"]),
	};

	async run(): Promise<void> {
		const { host, address, peer, client, admin, skip } = this.flags;
		const given = Object.fromEntries(
			Object.entries({ host, address, peer, client, admin }).filter(
				([, value]) => value !== undefined,
			),
		);
		const { node } = this.args;
		const make = () => moveNode({ node, given, skip });
		await this.change(this.flags, `Move ${node}?`, { ...changing, make });
	}
}
