import {
	answerBytes,
	type ForwardAnswer,
	type ForwardOutcome,
} from "../../wire/forward-frames.js";
import { maxPeerCommandBytes } from "../../wire/peer-frames.js";
import type { Peers } from "../peers/peers.js";

const frameBytes = 1024 * 1024;

/** Outcomes of commands that others have forwarded to this node, collected for one frame a turn to each. */
export class Answers {
	readonly #peers: Pick<Peers, "answer">;
	/** By peer, then by the connection that the commands came on. */
	readonly #waiting = new Map<
		string,
		{ link: number; answers: ForwardAnswer[] }
	>();

	constructor(peers: Pick<Peers, "answer">) {
		this.#peers = peers;
	}

	add(
		to: {
			readonly peer: string;
			readonly link: number;
			readonly requestId: number;
		},
		outcome: ForwardOutcome,
	): void {
		const waiting = this.#waiting.get(to.peer);
		const answer = { requestId: to.requestId, outcome: sendable(outcome) };
		if (waiting?.link === to.link) {
			waiting.answers.push(answer);
			return;
		}
		if (waiting !== undefined) this.#send(to.peer, waiting);
		this.#waiting.set(to.peer, { link: to.link, answers: [answer] });
	}

	flush(): void {
		if (this.#waiting.size === 0) return;
		for (const [peer, waiting] of this.#waiting) this.#send(peer, waiting);
		this.#waiting.clear();
	}

	#send(
		peer: string,
		{ link, answers }: { link: number; answers: ForwardAnswer[] },
	): void {
		let start = 0;
		let bytes = 0;
		for (const [at, answer] of answers.entries()) {
			const more = answerBytes(answer);
			if (bytes + more > frameBytes && at > start) {
				this.#peers.answer(peer, link, answers.slice(start, at));
				start = at;
				bytes = 0;
			}
			bytes += more;
		}
		this.#peers.answer(
			peer,
			link,
			start === 0 ? answers : answers.slice(start),
		);
	}
}

function sendable(outcome: ForwardOutcome): ForwardOutcome {
	if (
		outcome.kind !== "applied" ||
		outcome.result.length <= maxPeerCommandBytes
	)
		return outcome;
	return {
		kind: "unknown",
		message: `executed at index ${outcome.index}; its result of ${outcome.result.length} bytes is too long to be sent between nodes`,
	};
}
