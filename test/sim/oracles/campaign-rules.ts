import { isVoter } from "../../../src/raft/configurations.js";
import type { Raft } from "../../../src/raft/raft.js";
import type { MembershipWatch } from "../membership-watch.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/**
 * Who may campaign: a voter, or one that only an uncommitted configuration removes (thesis, section 4.2.2), that has what
 * its log begins with, and whose log is trusted (P31, P38, P39).
 */
export class CampaignRules {
	readonly #watch: MembershipWatch;

	constructor(watch: MembershipWatch) {
		this.#watch = watch;
	}

	/** Does `act`, which may make a candidate of a follower. */
	watch(node: SimNode, act: () => void): void {
		const raft = node.raft as Raft;
		if (node.seen?.role === "leader") {
			act();
			return;
		}
		const before = raft.status().role;
		act();
		if (before !== "follower") return;
		const status = raft.status();
		const { role, applied, firstIndex } = status;
		if (role === "follower") return;
		this.#watch.campaigned(node, status);
		demand(
			raft
				.openConfigurations()
				.some(({ configuration }) => isVoter(configuration, node.id)),
			"campaign",
			() => `${node.id} campaigns and is no voter`,
		);
		demand(
			applied >= firstIndex - 1,
			"campaign",
			() =>
				`${node.id} campaigns; its machine stands at ${applied}, its log begins at ${firstIndex}`,
		);
		demand(
			!node.machine.wentBack().includes(node.id),
			"campaign",
			() => `${node.id} campaigns, and knows that its own log went back`,
		);
	}
}
