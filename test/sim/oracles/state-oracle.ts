import { isQuorum, majority } from "../../../src/raft/quorum.js";
import { type Entry, EntryKind, type Status } from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import { demand } from "../violation.js";
import type { Committed } from "./committed.js";
import { checkFollowers } from "./follower-rules.js";
import type { PromiseOracle } from "./promise-oracle.js";

/** A window check walks the log, so only every so many looks. */
const windowCheckEvery = 64;

/** The rules of one node's state, and of all leaders together, looked at after every event. */
export class StateOracle {
	readonly leaders = new Map<number, SimNode>();
	readonly #nodes: readonly SimNode[];
	readonly #byId = new Map<string, SimNode>();
	readonly #committed: Committed;
	readonly #promises: PromiseOracle;
	readonly #coverage: Coverage;
	readonly #options: WorldOptions;
	#looks = 0;

	constructor(options: {
		readonly nodes: readonly SimNode[];
		readonly committed: Committed;
		readonly promises: PromiseOracle;
		readonly coverage: Coverage;
		readonly options: WorldOptions;
	}) {
		this.#nodes = options.nodes;
		for (const node of options.nodes) this.#byId.set(node.id, node);
		this.#committed = options.committed;
		this.#promises = options.promises;
		this.#coverage = options.coverage;
		this.#options = options.options;
	}

	/** `node` has restarted: what its disk calls committed must be what everybody does. */
	started(node: SimNode): void {
		const { commit, entries } = node.disk;
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
		this.#checkOrder(node, status);
		if (before !== null) this.#checkMonotonic(node, before, status);
		const from = before === null ? node.disk.commit : before.commit;
		if (
			status.role === "leader" &&
			(before?.role !== "leader" || before.term !== status.term)
		)
			this.#elected(node, status);
		if (before?.role === "leader" && status.role !== "leader")
			this.#deposed(node, before, status);
		if (status.commit > from) this.#committedUpTo(node, status, from);
		if (status.role === "leader")
			checkFollowers(node, status, this.#byId, this.#options, this.#coverage);
		if (++this.#looks % windowCheckEvery === 0) this.#checkWindow(node, status);
		node.seen = status;
	}

	#checkOrder(node: SimNode, status: Status): void {
		const { firstIndex, applied, commit, durableIndex, lastIndex } = status;
		const { log, disk } = node;
		demand(
			firstIndex - 1 <= applied &&
				applied <= commit &&
				commit <= lastIndex &&
				durableIndex <= lastIndex &&
				applied <= durableIndex,
			"ordering",
			() =>
				`${node.id}: first ${firstIndex}, applied ${applied}, commit ${commit}, durable ${durableIndex}, last ${lastIndex}`,
		);
		demand(
			lastIndex === log.length &&
				status.lastTerm === (log[lastIndex - 1]?.term ?? 0),
			"log-agrees",
			() =>
				`${node.id} says last ${lastIndex}/t${status.lastTerm}; handed in up to ${log.length}`,
		);
		demand(
			durableIndex === 0 ||
				(disk.entries.length >= durableIndex &&
					disk.entries[durableIndex - 1] === log[durableIndex - 1]),
			"durable-index",
			() =>
				`${node.id} takes ${durableIndex} for durable; its disk ends at ${disk.entries.length} and differs there`,
		);
		const uncommitted =
			(node.logBytes[lastIndex] as number) - (node.logBytes[commit] as number);
		demand(
			status.uncommittedBytes === uncommitted,
			"uncommitted-bytes",
			() =>
				`${node.id} counts ${status.uncommittedBytes} uncommitted bytes; they are ${uncommitted}`,
		);
		demand(
			log[status.configurationIndex - 1]?.kind === EntryKind.configuration,
			"configuration",
			() =>
				`${node.id} takes its configuration from ${status.configurationIndex}, which is none`,
		);
	}

	#checkMonotonic(node: SimNode, before: Status, status: Status): void {
		demand(
			status.term >= before.term &&
				status.commit >= before.commit &&
				status.applied >= before.applied,
			"monotonic",
			() =>
				`${node.id} went back: ${JSON.stringify(before)} then ${JSON.stringify(status)}`,
		);
		demand(
			status.term !== before.term ||
				before.votedFor === null ||
				status.votedFor === before.votedFor,
			"one-vote",
			() =>
				`${node.id} changed its vote in term ${status.term} from ${before.votedFor} to ${status.votedFor}`,
		);
		demand(
			status.term !== before.term ||
				before.leader === null ||
				status.leader === null ||
				before.leader === status.leader,
			"election-safety",
			() =>
				`${node.id} follows ${before.leader}, then ${status.leader} in term ${status.term}`,
		);
	}

	/** Election safety, leader completeness, and that the votes are on disks. */
	#elected(node: SimNode, status: Status): void {
		const { term, configuration } = status;
		this.#coverage.elections++;
		const other = this.leaders.get(term);
		demand(
			other === undefined || other === node,
			"election-safety",
			() => `${other?.id} and ${node.id} both lead term ${term}`,
		);
		demand(
			configuration.voters.includes(node.id),
			"election-safety",
			() => `${node.id} leads and is no voter`,
		);
		this.leaders.set(term, node);
		const last = this.#committed.lastBefore(term);
		demand(
			last === 0 ||
				node.log[last - 1]?.term === this.#committed.entries[last - 1]?.term,
			"leader-completeness",
			() => `${node.id} leads term ${term} without the committed entry ${last}`,
		);
		const votes = configuration.voters.filter((id) =>
			this.#hasVoted(id, term, node),
		);
		demand(
			votes.length >= majority(configuration.voters.length),
			"durable-votes",
			() =>
				`${node.id} leads term ${term} with durable votes of ${votes.join(", ") || "nobody"}`,
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

	#deposed(node: SimNode, before: Status, status: Status): void {
		if (status.term !== before.term) return;
		const { oldestSubmittedMs } = node.disk;
		const heard = isQuorum(
			before.configuration,
			(id) =>
				id === node.id ||
				before.followers.some(
					(one) =>
						one.id === id &&
						one.heardAgoMs < this.#options.electionTimeoutMs / 2,
				),
		);
		if (heard && oldestSubmittedMs !== null)
			this.#coverage.diskStallStepDowns++;
		else this.#coverage.checkQuorumStepDowns++;
	}

	#committedUpTo(node: SimNode, status: Status, from: number): void {
		const { commit, configuration, term } = status;
		if (commit > this.#committed.last) {
			const entry = node.log[commit - 1] as Entry;
			demand(
				isQuorum(
					configuration,
					(id) =>
						this.#byId.get(id)?.disk.entries[commit - 1]?.term === entry.term,
				),
				"commit-durable",
				() =>
					`${node.id} commits ${commit} of term ${entry.term}, on disk at ${
						this.#nodes
							.filter(
								(one) => one.disk.entries[commit - 1]?.term === entry.term,
							)
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

	/** The entries in memory stay within their limit, but for those that are still needed. */
	#checkWindow(node: SimNode, status: Status): void {
		const needed = Math.min(status.applied, status.durableIndex, status.commit);
		let low = 1;
		let high = status.lastIndex + 1;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (node.raft?.entries(middle, status.lastIndex) === null)
				low = middle + 1;
			else high = middle;
		}
		const { logBytes } = node;
		const spareBytes =
			(logBytes[needed] as number) -
			(logBytes[Math.min(low - 1, needed)] as number);
		const limit = this.#options.limits.windowBytes * 1.25;
		demand(
			spareBytes <= limit,
			"memory-bound",
			() =>
				`${node.id} keeps ${spareBytes} bytes of entries that it may drop; the limit is ${limit}`,
		);
	}
}
