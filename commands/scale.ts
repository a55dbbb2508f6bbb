import { Flags } from "@oclif/core";
import { skipFlag } from "../src/cli/flags.js";
import {
	catchUpFlag,
	MembershipCommand,
	membershipFlags,
} from "../src/cli/membership-command.js";
import { changing } from "../src/operations/membership/change-members.js";
import { scale } from "../src/operations/membership/scale.js";

export default class Scale extends MembershipCommand<typeof Scale> {
	static override summary = "Let so many nodes vote.";
	static override description =
		"Chooses which: learners that have caught up first, then nodes of the cluster file that are no members; and for fewer, voters that are down first and the leader last. The plan says which and why. All votes change in one change.";
	static override examples = [
		"<%= config.bin %> scale --voters 5 --dry-run",
		"<%= config.bin %> scale --voters 5 --yes",
		"<%= config.bin %> scale --voters 3",
	];
	static override flags = {
		voters: Flags.integer({
			required: true,
			min: 1,
			max: 50,
			helpValue: "<count>",
			summary: "How many; an odd number survives the most losses.",
		}),
		timeout: catchUpFlag,
		...membershipFlags,
		skip: skipFlag(["quorum", "catch-up"]),
	};

	async run(): Promise<void> {
		const { voters, skip, timeout: timeoutMs } = this.flags;
		const wish = { voters, skip, timeoutMs };
		const make = () => scale(wish);
		const question = `Let ${voters} nodes vote?`;
		await this.change(this.flags, question, { ...changing, make });
	}
}
