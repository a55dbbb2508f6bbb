import { isVoter } from "../../../src/raft/configurations.js";
import { isQuorum } from "../../../src/raft/quorum.js";
import type { Entry, Status } from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import type { MembershipWatch } from "../membership-watch.js";
import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import { demand } from "../violation.js";
import type { Committed } from "./committed.js";
import { checkFollowers } from "./follower-rules.js";
import { checkMonotonic, checkOrder, checkWindow } from "./order-rules.js";
import type { PromiseOracle } from "./promise-oracle.js";

/** A window check walks the log, so only every so many looks. */
const windowCheckEvery = 64;

/** The rules of one node's state, and of all leaders together, looked at after every event. */
export class StateOracle {
	readonly leaders = new Map<number, SimNode>();
	readonly #nodes: readonly SimNode[];
	readonly #byId: ReadonlyMap<string, SimNode>;
	readonly #committed: Committed;
	readonly #promises: PromiseOracle;
	readonly #watch: MembershipWatch;
	readonly #coverage: Coverage;
	readonly #options: WorldOptions;
	/** The newest term that ever had a leader. */
	#lastTerm = 0;
	#looks = 0;

	constructor(options: {
		readonly nodes: readonly SimNode[];
		readonly byId: ReadonlyMap<string, SimNode>;
		readonly committed: Committed;
		readonly promises: PromiseOracle;
		readonly watch: MembershipWatch;
		readonly coverage: Coverage;
		readonly options: WorldOptions;
	}) {
		this.#nodes = options.nodes;
		this.#byId = options.byId;
		this.#committed = options.committed;
		this.#promises = options.promises;
		this.#watch = options.watch;
		this.#coverage = options.coverage;
		this.#options = options.options;
	}

	/** `node` has restarted: what its disk calls committed must be what everybody does. */
	started(node: SimNode): void {
		const { entries, snapshotIndex } = node.disk;
		const commit = Math.max(node.disk.commit, snapshotIndex);
		demand(
			commit <= entries.length,
			"ordering",
			() => `${node.id} restarts with commit ${commit}, last ${entries.length}`,
		);
		if (commit > this.#committed.last) {
			demand(
				commit === 1,
				"commit-unknown",
				() => `${node.id} restarts with commit ${commit}`,
			);
			this.#committed.learn(entries, 0, 1, 1);
		} else if (commit > 0)
			this.#committed.learn(entries, commit - 1, commit, 0);
	}

	observe(node: SimNode, status: Status): void {
		const before = node.seen;
		checkOrder(node, status);
		if (before !== null) checkMonotonic(node, before, status);
		const from = before === null ? node.startCommit : before.commit;
		if (
			status.role === "leader" &&
			(before?.role !== "leader" || before.term !== status.term)
		)
			this.#elected(node, status);
		if (before?.role === "leader" && status.role !== "leader")
			this.#deposed(before, status);
		if (status.commit > from) this.#committedUpTo(node, status, from);
		if (status.role === "leader")
			checkFollowers(node, status, this.#byId, this.#options, this.#coverage);
		if (++this.#looks % windowCheckEvery === 0)
			checkWindow(node, status, this.#options.limits.windowBytes);
		this.#leaseEnded(node, status);
		node.seen = status;
	}

	/** Election safety, leader completeness, and that the votes are on disks. */
	#elected(node: SimNode, status: Status): void {
		const { term, configuration } = status;
		this.#coverage.elections++;
		this.#watch.elected(node, status);
		const other = this.leaders.get(term);
		demand(
			other === undefined || other === node,
			"election-safety",
			() => `${other?.id} and ${node.id} both lead term ${term}`,
		);
		demand(
			isVoter(configuration, node.id) ||
				wasVoter(node, status.commit) ||
				configuration.learners.includes(node.id),
			"election-safety",
			() => `${node.id} leads and is no member`,
		);
		this.leaders.set(term, node);
		const isRival = (one: SimNode) =>
			one !== node && one.raft !== null && one.seen?.role === "leader";
		if (this.#nodes.some(isRival)) this.#coverage.rivalLeaders++;
		this.#lastTerm = Math.max(this.#lastTerm, term);
		for (const one of this.#nodes)
			if (one !== node && one.seen !== null) this.#leaseEnded(one, one.seen);
		const last = this.#committed.lastBefore(term);
		demand(
			last === 0 ||
				node.log[last - 1]?.term === this.#committed.entries[last - 1]?.term,
			"leader-completeness",
			() => `${node.id} leads term ${term} without the committed entry ${last}`,
		);
		const hasVoted = (id: string) => this.#hasVoted(id, term, node);
		demand(
			isQuorum(configuration, hasVoted),
			"durable-votes",
			() =>
				`${node.id} leads term ${term} with durable votes of ${configuration.voters.filter(hasVoted).join(", ") || "nobody"}`,
		);
	}

	/** While a lease runs there is no later leader, whether or not the lease is asked for just now (P43). */
	#leaseEnded(node: SimNode, { role, term }: Status): void {
		if (role !== "leader" || term >= this.#lastTerm) return;
		// Where clocks do what they like nothing is promised.
		if (!this.#options.leases) return;
		demand(
			node.raft?.holdsLease(node.clock.nowMs) !== true,
			"lease",
			() =>
				`${node.id} holds its lease of term ${term} while term ${this.#lastTerm} has a leader`,
		);
	}

	#hasVoted(voter: string, term: number, candidate: SimNode): boolean {
		const node = this.#byId.get(voter) as SimNode;
		if (node.disk.term === term) return node.disk.votedFor === candidate.id;
		// It has moved on since; its own words are kept.
		return (
			node.disk.term > term &&
			this.#promises.voteOf(node, term) === candidate.id
		);
	}

	/** A leader that ends its own leadership: it hears no quorum, or its disk does not answer. */
	#deposed(before: Status, status: Status): void {
		if (status.term !== before.term) return;
		this.#watch.steppedDown(before);
		if (!isVoter(status.configuration, before.id))
			this.#coverage.leadersRemoved++;
		const recently = this.#options.electionTimeoutMs / 2;
		const heard = (id: string) =>
			id === before.id ||
			before.followers.some(
				(one) => one.id === id && one.heardAgoMs < recently,
			);
		if (!isQuorum(before.configuration, heard))
			this.#coverage.checkQuorumStepDowns++;
	}

	#committedUpTo(node: SimNode, status: Status, from: number): void {
		const { commit, configuration, term } = status;
		if (commit > this.#committed.last) {
			const entry = node.log[commit - 1] as Entry;
			const holds = (id: string) =>
				this.#byId.get(id)?.disk.holds(entry) === true;
			// A joint configuration that is committed is left at once, so the one before may have decided.
			demand(
				isQuorum(configuration, holds) ||
					(node.seen !== null && isQuorum(node.seen.configuration, holds)),
				"commit-durable",
				() =>
					`${node.id} commits ${commit} of term ${entry.term}, on disk at ${
						this.#nodes
							.filter((one) => one.disk.holds(entry))
							.map((one) => one.id)
							.join(", ") || "nobody"
					}`,
			);
			demand(
				status.role !== "leader" || entry.term === term,
				"own-term-commit",
				() =>
					`leader ${node.id} of term ${term} commits ${commit} of term ${entry.term} by counting`,
			);
			this.#heldByLaterLeaders(entry, term);
		}
		this.#committed.learn(node.log, from, commit, term);
	}

	/** A leader of a later term may lead already: it holds the entry too, or the commit was wrong. */
	#heldByLaterLeaders(entry: Entry, term: number): void {
		for (const node of this.#nodes) {
			if (node.seen?.role !== "leader" || node.seen.term <= term) continue;
			demand(
				node.log[entry.index - 1]?.term === entry.term,
				"leader-completeness",
				() =>
					`${node.id} leads term ${node.seen?.term} without ${entry.index}, which term ${term} commits now`,
			);
		}
	}
}

/** Of the configuration before one that may not be committed: it may hold what ends its vote, and others lack. */
function wasVoter({ id, handed }: SimNode, commit: number): boolean {
	if (handed.configuration.index <= commit) return false;
	const before = handed.configurationAt(handed.configuration.index - 1);
	return isVoter(before.configuration, id);
}
