import type { ProposalOutcome } from "../../raft/types.js";
import type { Request } from "./request.js";

interface Batch {
	readonly firstToken: number;
	readonly requests: readonly Request[];
	left: number;
}

const compactAt = 4096;

/** Requests in this leader's log: by token until their fate is known, then by index until they are executed. */
export class Proposed {
	#batches: Batch[] = [];
	#nextToken = 1;
	/** Rising by index; from `#head` on. */
	#indexes: number[] = [];
	/** Null before `#head`: who has an answer must not live on. */
	#waiting: (Request | null)[] = [];
	#head = 0;

	get nextToken(): number {
		return this.#nextToken;
	}

	/** They have the tokens from `nextToken` on. */
	add(requests: readonly Request[]): void {
		this.#batches.push({
			firstToken: this.#nextToken,
			requests,
			left: requests.length,
		});
		this.#nextToken += requests.length;
	}

	/** Calls `ended` for each request that the outcome is about, in order. */
	settle(
		{ token, count, index }: ProposalOutcome,
		ended: (request: Request, index: number) => void,
	): void {
		const at = this.#batches.findIndex(
			({ firstToken, requests }) =>
				token >= firstToken && token < firstToken + requests.length,
		);
		const batch = this.#batches[at];
		if (batch === undefined) return;
		const start = token - batch.firstToken;
		for (let i = 0; i < count; i++)
			ended(batch.requests[start + i] as Request, index + i);
		batch.left -= count;
		if (batch.left === 0) this.#batches.splice(at, 1);
	}

	/** `index` is above that of every request that waits already. */
	awaitExecution(request: Request, index: number): void {
		this.#indexes.push(index);
		this.#waiting.push(request);
	}

	/** Those that wait for an entry up to `index`, which will not be executed here: a snapshot stands for it. */
	skipTo(index: number): Request[] {
		const skipped: Request[] = [];
		while ((this.#indexes[this.#head] ?? Number.POSITIVE_INFINITY) <= index)
			skipped.push(this.#take());
		return skipped;
	}

	/** The request whose command is the entry at `index`, if one waits for that. */
	executed(index: number): Request | null {
		if (this.#indexes[this.#head] !== index) return null;
		const request = this.#take();
		if (this.#head === this.#indexes.length || this.#head >= compactAt) {
			this.#indexes = this.#indexes.slice(this.#head);
			this.#waiting = this.#waiting.slice(this.#head);
			this.#head = 0;
		}
		return request;
	}

	#take(): Request {
		const request = this.#waiting[this.#head] as Request;
		this.#waiting[this.#head++] = null;
		return request;
	}
}
