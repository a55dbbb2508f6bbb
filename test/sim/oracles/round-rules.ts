import { isQuorum } from "../../../src/raft/quorum.js";
import type { Raft } from "../../../src/raft/raft.js";
import type {
	Heartbeat,
	HeartbeatResponse,
	Message,
} from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/** More heartbeats than a follower receives within one turn. */
const maxReceived = 4096;

/** What a leader has heard in one term. */
interface Answers {
	readonly term: number;
	/** By follower: when the newest heartbeat that it answered was sent. */
	readonly newest: Map<string, number>;
}

/**
 * A read is confirmed by answers to heartbeats that were sent after it was asked, and by nothing older (P41). Time is a
 * count of what was sent and asked.
 */
export class RoundRules {
	#now = 0;
	/** When a heartbeat was sent; for an answer, when what it answers was. */
	readonly #sent = new WeakMap<Message, number>();
	/** By follower: the heartbeats that came in, by what an answer repeats of them. */
	readonly #received = new Map<SimNode, Map<string, number>>();
	readonly #answers = new Map<SimNode, Answers>();
	/** By node and read: when it was asked. */
	readonly #asked = new Map<SimNode, Map<number, number>>();

	restarted(node: SimNode): void {
		this.#received.delete(node);
		this.#answers.delete(node);
		this.#asked.delete(node);
	}

	/** The core says something, now or once the disk is ready. */
	said(node: SimNode, message: Message): void {
		if (message.type === "heartbeat") this.#sent.set(message, ++this.#now);
		else if (message.type === "heartbeat-response") {
			const key = keyOf(message.to, message);
			this.#sent.set(message, this.#received.get(node)?.get(key) ?? 0);
		}
	}

	arriving(node: SimNode, message: Message): void {
		const sent = this.#sent.get(message) ?? 0;
		if (message.type === "heartbeat") this.#receive(node, message, sent);
		else if (message.type === "heartbeat-response") {
			const { newest } = this.#answersIn(node, message.term);
			newest.set(message.from, Math.max(newest.get(message.from) ?? 0, sent));
		}
	}

	#receive(node: SimNode, message: Heartbeat, sent: number): void {
		const received = this.#received.get(node) ?? new Map<string, number>();
		this.#received.set(node, received);
		// It is answered within the turn: what came long before need not be known any more.
		if (received.size >= maxReceived) received.clear();
		received.set(keyOf(message.from, message), sent);
	}

	/** A leader is asked for a read. */
	asked(node: SimNode, token: number): void {
		const asked = this.#asked.get(node) ?? new Map<number, number>();
		this.#asked.set(node, asked);
		asked.set(token, ++this.#now);
	}

	/** A read that `node` was asked as the leader of `term` has ended. */
	ended(
		node: SimNode,
		token: number,
		term: number,
		isConfirmed: boolean,
	): void {
		const asked = this.#asked.get(node)?.get(token);
		this.#asked.get(node)?.delete(token);
		if (asked === undefined || !isConfirmed) return;
		const { newest } = this.#answersIn(node, term);
		const answered = (id: string) =>
			id === node.id || (newest.get(id) ?? 0) > asked;
		demand(
			(node.raft as Raft)
				.openConfigurations()
				.some(({ configuration }) => isQuorum(configuration, answered)),
			"read-round",
			() =>
				`${node.id} confirms read ${token}; heartbeats sent since it was asked were answered by ${[...newest.keys()].filter(answered).join(", ") || "nobody"}`,
		);
	}

	#answersIn(node: SimNode, term: number): Answers {
		const known = this.#answers.get(node);
		if (known !== undefined && known.term >= term) return known;
		const answers = { term, newest: new Map<string, number>() };
		this.#answers.set(node, answers);
		return answers;
	}
}

function keyOf(
	leader: string,
	{ term, session, read, stamp }: Heartbeat | HeartbeatResponse,
): string {
	return `${leader} ${term} ${session} ${read} ${stamp}`;
}
