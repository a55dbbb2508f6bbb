import { Args, Flags } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	catchUpFlag,
	givenNode,
	MembershipCommand,
	membershipFlags,
	nodeFlags,
} from "../src/cli/membership-command.js";
import { addLearner } from "../src/operations/membership/add-learner.js";
import { changing } from "../src/operations/membership/change-members.js";

export default class AddLearner extends MembershipCommand<typeof AddLearner> {
	static override summary = "Start a node and add it as a learner.";
	static override description =
		"Writes its node.yaml, starts it, adds it and waits until it has caught up, telling how far it has to go and how long that takes. With --promote it votes in the end. The cluster file need not have it yet. Refused for a node that has a log already or belongs to another cluster.";
	static override examples = [
		"<%= config.bin %> add-learner n4",
		"<%= config.bin %> add-learner n4 --promote --yes",
		"<%= config.bin %> add-learner n4 --peer 127.0.0.1:7210 --client 127.0.0.1:7211 --admin 127.0.0.1:7212",
	];
	static override args = {
		node: Args.string({ required: true, description: "The node to add." }),
	};
	static override flags = {
		promote: Flags.boolean({ summary: "Let it vote once it has caught up." }),
		timeout: catchUpFlag,
		...nodeFlags,
		...membershipFlags,
		skip: skipFlag(["quorum", "catch-up"]),
	};

	async run(): Promise<void> {
		const { node } = this.args;
		const { promote, skip, timeout: timeoutMs } = this.flags;
		const wish = {
			node,
			promote,
			skip,
			timeoutMs,
			given: givenNode(this.flags),
		};
		const make = () => addLearner(wish);
		const question = `Add ${node} as a ${promote ? "voter" : "learner"}?`;
		await this.change(this.flags, question, { ...changing, make });
	}
}
