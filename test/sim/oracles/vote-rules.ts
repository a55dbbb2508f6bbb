import { isQuorum } from "../../../src/raft/quorum.js";
import type { Message, VoteRequest } from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

interface Expectation {
	/** Whether the rules allow to grant what was asked, by the node's state when it was asked. */
	readonly upToDate: boolean;
	readonly hearsLeader: boolean;
	/** Whom the voter had voted for in its term before it was asked. */
	readonly votedFor: string | null;
}

/** Before anything was asked. */
const nothing: Expectation = {
	...{ upToDate: true, hearsLeader: false, votedFor: null },
};

/**
 * The rules of asking and granting: logs are compared, a leader that is heard is neither replaced nor deposed, and a
 * real campaign follows a pre-vote that was won (P34, P35).
 */
export class VoteRules {
	readonly #electionTimeoutMs: number;
	/** By voter, candidate and campaign: how it had to be answered. */
	readonly #asked = new Map<string, Expectation>();
	/** Of the request that is being handled. */
	#current: Expectation = nothing;
	/** Per candidate: the last pre-vote campaign, and who granted it. */
	readonly #campaigns = new Map<
		SimNode,
		{ attempt: number; readonly granted: Set<string> }
	>();
	/** Per node: until when, by its clock, it may depose nobody: it heard a leader, or may have before its restart. */
	readonly #boundUntilMs = new Map<SimNode, number>();

	constructor(electionTimeoutMs: number) {
		this.#electionTimeoutMs = electionTimeoutMs;
	}

	restarted(node: SimNode): void {
		this.#campaigns.delete(node);
		// Only who was never more than founded cannot have answered anybody (P43).
		const isFresh = node.disk.term <= 1;
		this.#bind(node, isFresh ? Number.NEGATIVE_INFINITY : node.tickMs);
	}

	#bind(node: SimNode, fromMs: number): void {
		this.#boundUntilMs.set(node, fromMs + this.#electionTimeoutMs);
	}

	/** Before a message is handled. */
	arriving(node: SimNode, message: Message): void {
		if (message.type === "vote-request") {
			const now = this.#expect(node, message);
			this.#current = now;
			const id = key(node.id, message.from, message);
			const before = this.#asked.get(id);
			// It may come twice; whichever of the two is answered with a grant, one of them must have deserved it.
			this.#asked.set(id, {
				...now,
				upToDate: now.upToDate || before?.upToDate === true,
				hearsLeader: now.hearsLeader && before?.hearsLeader !== false,
			});
		} else if (
			message.type === "vote-response" &&
			message.pre &&
			message.granted
		) {
			const campaign = this.#campaigns.get(node);
			if (campaign?.attempt === message.attempt)
				campaign.granted.add(message.from);
		} else if (
			message.type === "heartbeat" ||
			message.type === "append-request" ||
			message.type === "snapshot-offer"
		) {
			const status = node.raft?.status();
			if (status !== undefined && message.term >= status.term)
				this.#bind(node, Math.max(node.tickMs, node.clock.nowMs));
		}
	}

	#expect(node: SimNode, message: VoteRequest): Expectation {
		const status = node.raft?.status();
		if (status === undefined) return nothing;
		const { lastTerm, lastIndex, role, votedFor } = status;
		const untilMs = this.#boundUntilMs.get(node) ?? Number.NEGATIVE_INFINITY;
		return {
			upToDate:
				message.lastTerm > lastTerm ||
				(message.lastTerm === lastTerm && message.lastIndex >= lastIndex),
			hearsLeader: role === "leader" || node.tickMs < untilMs,
			votedFor,
		};
	}

	/** After a message was handled. A vote nobody's leader asked for does not raise the term of who hears a leader. */
	handled(node: SimNode, message: Message, termBefore: number): void {
		if (message.type !== "vote-request" || message.transfer) return;
		const { hearsLeader, votedFor } = this.#current;
		const status = node.raft?.status();
		const term = status?.term;
		demand(
			!message.pre || status?.votedFor === votedFor,
			"pre-vote",
			() =>
				`${node.id} has voted for ${votedFor}, and for ${status?.votedFor} after a pre-vote`,
		);
		demand(
			(!hearsLeader && !message.pre) || term === termBefore,
			"stickiness",
			() =>
				`${node.id} hears its leader, and goes from term ${termBefore} to ${term} for ${message.from}`,
		);
	}

	/** The core says something; it may still wait for the disk. */
	said(node: SimNode, message: Message): void {
		if (message.type === "vote-request") this.#campaigned(node, message);
		if (message.type === "timeout-now") this.#handedOver(node, message.to);
		if (message.type !== "vote-response" || !message.granted) return;
		const asked = this.#asked.get(key(node.id, message.to, message));
		demand(
			asked !== undefined,
			"unasked-vote",
			() => `${node.id} votes for ${message.to}, which did not ask`,
		);
		demand(
			asked.upToDate,
			"up-to-date",
			() =>
				`${node.id} grants ${message.to} a vote, whose log is behind its own`,
		);
		demand(
			!message.pre || !asked.hearsLeader,
			"stickiness",
			() => `${node.id} hears its leader, and grants ${message.to} a pre-vote`,
		);
	}

	/** A successor holds the whole log before it is asked to campaign (P37); one whose leader's disk fails need not. */
	#handedOver(node: SimNode, to: string): void {
		const status = node.raft?.status();
		if (status?.role !== "leader" || status.transferTarget !== to) return;
		const match = status.followers.find((one) => one.id === to)?.match;
		demand(
			match === status.lastIndex,
			"transfer-target",
			() =>
				`${node.id} hands over to ${to} at ${match}; its log ends at ${status.lastIndex}`,
		);
	}

	#campaigned(node: SimNode, { pre, transfer, attempt }: VoteRequest): void {
		const campaign = this.#campaigns.get(node);
		if (pre) {
			if (campaign?.attempt !== attempt)
				this.#campaigns.set(node, { attempt, granted: new Set([node.id]) });
			return;
		}
		const { configuration } = node.handed.configuration;
		demand(
			transfer ||
				(campaign !== undefined &&
					isQuorum(configuration, (id) => campaign.granted.has(id))),
			"pre-vote",
			() =>
				`${node.id} campaigns with pre-votes of ${[...(campaign?.granted ?? [])].join(", ") || "nobody"}`,
		);
	}
}

function key(
	voter: string,
	candidate: string,
	{
		pre,
		attempt,
		term,
	}: { readonly pre: boolean; readonly attempt: number; readonly term: number },
): string {
	// A voter that refuses or grants a real vote answers in the campaign's own term.
	return `${voter} ${candidate} ${attempt} ${pre ? "pre" : term}`;
}
