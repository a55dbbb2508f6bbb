import { isVoter } from "../../../src/raft/configurations.js";
import type { Raft } from "../../../src/raft/raft.js";
import type { Status, VoteRequest } from "../../../src/raft/types.js";
import type { MembershipWatch } from "../membership-watch.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/**
 * Who may campaign of its own accord: a voter, or one that only an uncommitted configuration removes (thesis, section
 * 4.2.2). It has what its log begins with, and its log is trusted (P31, P38, P39).
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
		if (status.role === "follower") return;
		this.#watch.campaigned(node, status);
		demand(
			raft
				.openConfigurations()
				.some(({ configuration }) => isVoter(configuration, node.id)),
			"campaign",
			() => `${node.id} campaigns and is no voter`,
		);
		this.#isFit(node, status);
	}

	/** Handles a question for a vote. A learner may campaign when whoever counts on it holds less than it does (P27). */
	asked(node: SimNode, message: VoteRequest, act: () => void): void {
		const raft = node.raft as Raft;
		const before = raft.status();
		act();
		if (before.role !== "follower") return;
		const status = raft.status();
		if (status.role === "follower") return;
		this.#watch.stoodIn();
		const { lastTerm, lastIndex } = message;
		demand(
			message.pre &&
				before.configuration.learners.includes(node.id) &&
				(lastTerm < before.lastTerm ||
					(lastTerm === before.lastTerm && lastIndex < before.lastIndex)),
			"campaign",
			() =>
				`${node.id} campaigns when ${message.from} asks it, whose log ends at ${lastIndex} of term ${lastTerm}`,
		);
		this.#isFit(node, status);
	}

	#isFit(node: SimNode, { applied, firstIndex }: Status): void {
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
