import { Args } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	MembershipCommand,
	membershipFlags,
} from "../src/cli/membership-command.js";
import { changing } from "../src/operations/membership/change-members.js";
import { demote } from "../src/operations/membership/demote.js";

export default class Demote extends MembershipCommand<typeof Demote> {
	static override summary = "Take a voter's vote away; it stays as a learner.";
	static override description =
		"A leader hands over first. Refused while fewer of the voters that remain are connected than a majority.";
	static override examples = [
		"<%= config.bin %> demote n3",
		"<%= config.bin %> demote n3 --dry-run",
	];
	static override args = {
		node: Args.string({ required: true, description: "The voter." }),
	};
	static override flags = {
		...membershipFlags,
		skip: skipFlag(["quorum"]),
	};

	async run(): Promise<void> {
		const { node } = this.args;
		const { skip } = this.flags;
		const wish = { node, skip };
		const make = () => demote(wish);
		const question = `Take the vote of ${node} away?`;
		await this.change(this.flags, question, { ...changing, make });
	}
}
