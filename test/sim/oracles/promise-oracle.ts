import type {
	AppendRequest,
	AppendResponse,
	Message,
	SnapshotOffer,
	VoteResponse,
} from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import { demand } from "../violation.js";
import type { Committed } from "./committed.js";

/** The rules of what is said: nobody promises what a crash could take back. Looked at as messages leave. */
export class PromiseOracle {
	/** Per voter: whom it has told, in each term, that it votes for them. Crashes do not clear it. */
	readonly #votes: Map<number, string>[] = [];
	/** The newest replication session that was seen on each link, as "term:session". */
	readonly #sessions = new Map<string, number>();
	/** The newest snapshot that was offered on each link. */
	readonly #offers = new Map<string, number>();
	readonly #committed: Committed;
	readonly #coverage: Coverage;
	readonly #options: WorldOptions;

	constructor(options: {
		readonly committed: Committed;
		readonly coverage: Coverage;
		readonly options: WorldOptions;
	}) {
		this.#committed = options.committed;
		this.#coverage = options.coverage;
		this.#options = options.options;
	}

	voteOf(voter: SimNode, term: number): string | undefined {
		return this.#votes[voter.position]?.get(term);
	}

	released(node: SimNode, message: Message): void {
		demand(
			message.from === node.id && message.to !== node.id,
			"addressing",
			() => `${node.id} sends as ${message.from} to ${message.to}`,
		);
		if (this.#options.frozen) freeze(message);
		switch (message.type) {
			case "vote-response":
				this.#vote(node, message);
				break;
			case "append-response":
				this.#acknowledged(node, message);
				break;
			case "snapshot-offer":
				this.#offered(node, message);
				break;
			case "append-request":
				this.#appended(node, message);
				break;
			case "heartbeat":
				this.#sessions.set(node.id + message.to, message.session);
				demand(
					message.commit <= this.#committed.last,
					"commit-unknown",
					() =>
						`${node.id} tells ${message.to} of commit ${message.commit}; committed is ${this.#committed.last}`,
				);
				break;
			case "timeout-now":
				node.handedOverIn = message.term;
				// Who asks for a successor without leading any more has given up for its disk's sake.
				if (node.seen?.role !== "leader" && node.driver.writingMs > 0)
					this.#coverage.diskStallStepDowns++;
				break;
			case "read-request":
				this.#coverage.readsForwarded++;
				break;
		}
	}

	/** Counts what only an arrival shows. */
	delivered(node: SimNode, message: Message): void {
		if (
			message.type !== "append-response" &&
			message.type !== "heartbeat-response"
		)
			return;
		if (node.seen === null) return;
		if (message.term < node.seen.term) this.#coverage.staleTermResponses++;
		else if (this.#sessions.get(node.id + message.from) !== message.session)
			this.#coverage.staleSessionResponses++;
	}

	/** One vote for each term, over all restarts, and only after it is on disk (P1). */
	#vote(node: SimNode, message: VoteResponse): void {
		if (!message.granted) {
			if (message.pre) this.#coverage.preVotesRefused++;
			else this.#coverage.votesRefused++;
			return;
		}
		if (message.pre) return;
		const { term, to } = message;
		this.#votes[node.position] ??= new Map();
		const votes = this.#votes[node.position] as Map<number, string>;
		const known = votes.get(term);
		demand(
			known === undefined || known === to,
			"one-vote",
			() => `${node.id} votes for ${known}, then for ${to} in term ${term}`,
		);
		votes.set(term, to);
		const { disk } = node;
		demand(
			disk.term > term || (disk.term === term && disk.votedFor === to),
			"vote-durable",
			() =>
				`${node.id} votes for ${to} in term ${term}; its disk has term ${disk.term}, vote ${disk.votedFor}`,
		);
	}

	/** An acknowledged match is on the follower's disk, and so is the term (P2). */
	#acknowledged(node: SimNode, message: AppendResponse): void {
		if (!message.success) {
			this.#coverage.appendsRejected++;
			return;
		}
		const { disk } = node;
		demand(
			disk.term > message.term ||
				(disk.term === message.term && disk.last >= message.match),
			"ack-durable",
			() =>
				`${node.id} acknowledges ${message.match} in term ${message.term}; its disk has term ${disk.term} and ends at ${disk.last}`,
		);
	}

	/** What is offered is there to be fetched, and stands for what is committed. */
	#offered(node: SimNode, message: SnapshotOffer): void {
		const { to, snapshotIndex: index, snapshotTerm: term } = message;
		this.#coverage.offers++;
		if (this.#offers.get(node.id + to) === index)
			this.#coverage.offersRepeated++;
		this.#offers.set(node.id + to, index);
		demand(
			this.#committed.entries[index - 1]?.term === term &&
				node.disk.snapshotIndex >= index,
			"snapshot-committed",
			() => `${node.id} offers a snapshot at ${index} of term ${term}`,
		);
	}

	/** A leader's message is a piece of its log. */
	#appended(node: SimNode, message: AppendRequest): void {
		const { seen, log } = node;
		this.#sessions.set(node.id + message.to, message.session);
		if (seen?.role !== "leader" || seen.term !== message.term) return;
		const { prevIndex, prevTerm, entries, commit } = message;
		let sound =
			commit <= seen.commit && (log[prevIndex - 1]?.term ?? 0) === prevTerm;
		for (let at = 0; at < entries.length; at++)
			sound &&= entries[at] === log[prevIndex + at];
		demand(
			sound,
			"malformed-append",
			() =>
				`${node.id} sends entries after ${prevIndex} of term ${prevTerm} with commit ${commit} that are not its own log (P55): ${entries.map(({ index, term }) => `${index}/t${term}`).join(" ")}`,
		);
	}
}

/** Messages are shared between nodes here, as batches are in the daemon; nobody may change them. */
function freeze(message: Message): void {
	if (message.type === "append-request") {
		Object.freeze(message.entries);
		for (const entry of message.entries) Object.freeze(entry);
	}
	Object.freeze(message);
}
