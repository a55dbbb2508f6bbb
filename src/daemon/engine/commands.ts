import type { ProposalOutcome, Refusal } from "../../raft/types.js";
import type { ForwardFrame, OutcomesFrame } from "../../wire/forward-frames.js";
import type { Peers } from "../peers/peers.js";
import { Admission, type Rejection, rejected } from "./admission.js";
import { Answers } from "./answers.js";
import type { CommandCounters } from "./engine-stats.js";
import { Forwarded } from "./forwarded.js";
import type { Leadership } from "./leadership.js";
import type { Limits } from "./limits.js";
import { answerAccepted, toClient, tooLate, unknown } from "./outcomes.js";
import { batchesOf } from "./proposal-batches.js";
import { Proposed } from "./proposed.js";
import { Request, type RequestOrigin, type RequestOutcome } from "./request.js";

interface CommandsOptions {
	readonly limits: Limits;
	readonly peers: Pick<Peers, "answer" | "forward" | "isConnected">;
	readonly nowMs: () => number;
	readonly counters: CommandCounters;
	/** Why a command must not enter the log of this node; null when it may. Level 0 leaves the level to the leader. */
	refuses(
		kind: Request["kind"],
		level: number,
		command: Uint8Array,
	): Rejection | null;
	/** To the core: null, or why nothing was appended. */
	propose(
		kind: Request["kind"],
		level: number,
		commands: readonly Uint8Array[],
		firstToken: number,
	): Refusal | null;
}

/**
 * Commands from their acceptance to their one outcome. What waits for a leader waits here, until its deadline: a
 * hand-over of leadership is a pause, not a failure. Only what is certainly not executed is tried again (P58).
 */
export class Commands {
	readonly #options: CommandsOptions;
	readonly #admission: Admission;
	readonly #proposed = new Proposed();
	readonly #forwarded: Forwarded;
	readonly #answers: Answers;
	#queue: Request[] = [];
	#accepted: Request[] = [];
	#nextDeadlineMs = Number.POSITIVE_INFINITY;
	/** Why nothing is accepted any more. */
	#stopping: string | null = null;

	constructor(options: CommandsOptions) {
		this.#options = options;
		this.#admission = new Admission(options.limits, {
			nowMs: options.nowMs,
		});
		this.#forwarded = new Forwarded(options);
		this.#answers = new Answers(options.peers);
	}

	get pending(): number {
		return this.#admission.count;
	}

	/** Whether something waits that another pass could move. */
	canMove(leadership: Leadership): boolean {
		if (this.#queue.length === 0) return false;
		return leadership.isLeader
			? !leadership.transferring
			: this.#forwarded.canSend(leadership);
	}

	/** Takes a command of a client of this node, or says why not. */
	accept(options: ConstructorParameters<typeof Request>[0]): Rejection | null {
		if (this.#stopping !== null) return rejected("stopping", this.#stopping);
		const request = new Request(options);
		const refusal = this.#admit(request);
		if (refusal === null && request.ack === "none")
			this.#accepted.push(request);
		return refusal;
	}

	/** What a command of any client would be told now for want of room; null where there may be some. */
	overload(): Rejection | null {
		if (this.#stopping !== null) return null;
		const refusal = this.#admission.overload();
		if (refusal !== null) this.#options.counters.overloaded++;
		return refusal;
	}

	/** Takes what a follower sends to its leader; what cannot be taken is answered in this turn. */
	acceptForwarded(
		from: { readonly peer: string; readonly link: number },
		frame: ForwardFrame,
	): void {
		const nowMs = this.#options.nowMs();
		this.#options.counters.forwardedIn += frame.commands.length;
		for (const {
			requestId,
			kind,
			level,
			ack,
			deadlineMs,
			command,
		} of frame.commands) {
			const origin: RequestOrigin = { kind: "peer", ...from, requestId };
			const request = new Request({
				...{ kind, level, command, ack, origin },
				deadlineMs: nowMs + deadlineMs,
			});
			const refusal =
				this.#stopping === null
					? this.#admit(request)
					: ({ kind: "retry" } as const);
			if (refusal !== null) this.#answers.add(origin, refusal);
		}
	}

	#admit(request: Request): Rejection | null {
		const refusal =
			this.#tooLong(request) ??
			this.#admission.admit(request, (each) => this.#refuses(each));
		if (refusal !== null) {
			if (refusal.reason === "overloaded") this.#options.counters.overloaded++;
			return refusal;
		}
		this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, request.deadlineMs);
		this.#queue.push(request);
		return null;
	}

	#tooLong({ command }: Request): Rejection | null {
		const { maxCommandBytes } = this.#options.limits;
		if (command.length <= maxCommandBytes) return null;
		const message = `the command has ${command.length} bytes, the limit is ${maxCommandBytes}`;
		return rejected("too-large", message);
	}

	/** The same for what a follower has let pass: its limits, or its machine, may be of another release. */
	#refuses({ command, kind, level }: Request): Rejection | null {
		return this.#options.refuses(kind, level, command);
	}

	/** Moves what waits: into the log on a leader, to the leader elsewhere. What cannot move waits on. */
	dispatch(leadership: Leadership): void {
		this.#move(leadership);
		this.#admission.isPaused = this.#queue.length > 0;
	}

	#move(leadership: Leadership): void {
		for (const request of this.#accepted) answerAccepted(request);
		this.#accepted = [];
		if (this.#queue.length === 0) return;
		const queue = this.#queue.filter(({ place }) => place === "queued");
		this.#queue = [];
		if (leadership.isLeader && !leadership.transferring) {
			this.#queue = this.#proposeAll(queue).concat(this.#queue);
			return;
		}
		// This node is not, or no longer, the one that was asked to execute them.
		const own: Request[] = [];
		for (const request of queue) {
			if (request.origin.kind === "local") own.push(request);
			else this.#finish(request, { kind: "retry" });
		}
		if (!this.#forwarded.canSend(leadership))
			this.#queue = own.concat(this.#queue);
		else if (own.length > 0)
			this.#forwarded.send(leadership.leader as string, own);
	}

	/** Returns those that must wait. */
	#proposeAll(queue: Request[]): Request[] {
		const { propose, counters } = this.#options;
		let done = 0;
		for (const batch of batchesOf(queue)) {
			const { kind, level } = batch[0] as Request;
			const refusal = propose(
				kind,
				level,
				batch.map(({ command }) => command),
				this.#proposed.nextToken,
			);
			if (refusal !== null) return queue.slice(done);
			this.#proposed.add(batch);
			for (const request of batch) request.place = "proposed";
			counters.proposals += batch.length;
			counters.batches++;
			done += batch.length;
		}
		return [];
	}

	/** What the leader says of the commands that were forwarded to it. */
	takeOutcomes(from: string, frame: OutcomesFrame): void {
		this.#forwarded.settle(from, frame, (request, outcome) => {
			if (outcome.kind === "retry") this.#tryAgain(request);
			else this.#finish(request, outcome);
		});
	}

	/** It is certain that the command is not in the log and will not be. */
	#tryAgain(request: Request): void {
		if (request.place === "ended") return;
		if (request.origin.kind === "peer") {
			this.#finish(request, { kind: "retry" });
			return;
		}
		this.#options.counters.retried++;
		request.place = "queued";
		this.#queue.push(request);
	}

	/** What the core says of the commands in this node's log. To be called before their entries are applied. */
	settle(outcome: ProposalOutcome): void {
		this.#proposed.settle(outcome, (request, index) => {
			if (request.place === "ended") return;
			if (outcome.outcome === "lost") this.#tryAgain(request);
			else if (outcome.outcome === "unknown")
				this.#finish(request, unknown("no quorum has confirmed it in time"));
			else if (request.ack === "apply")
				this.#proposed.awaitExecution(request, index);
			else this.#finish(request, { kind: "committed", index });
		});
	}

	/** The entry at `index` was executed. */
	executed(index: number, result: Uint8Array): void {
		const request = this.#proposed.executed(index);
		if (request !== null)
			this.#finish(request, { kind: "applied", index, result });
	}

	/** The state was replaced by the snapshot at `index`: results of what came before are known to others only. */
	restoredTo(index: number): void {
		for (const request of this.#proposed.skipTo(index))
			this.#finish(
				request,
				unknown("a snapshot has taken the place of its entry on this node"),
			);
	}

	/** A link to or from `peer` broke: what it was sent may have arrived or not, and its answers may be lost. */
	peerBroken(peer: string): void {
		for (const request of this.#forwarded.takeAllOf(peer))
			this.#finish(
				request,
				unknown(`the link to the leader ${peer} broke before it answered`),
			);
	}

	/** Ends what has waited too long. */
	expire(leadership: Leadership): void {
		const nowMs = this.#options.nowMs();
		if (nowMs < this.#nextDeadlineMs) return;
		this.#nextDeadlineMs = Number.POSITIVE_INFINITY;
		for (const request of this.#admission.pending()) {
			const { deadlineMs } = request;
			if (deadlineMs > nowMs)
				this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, deadlineMs);
			else if (request.place === "queued")
				this.#finish(request, tooLate(leadership));
			else
				this.#finish(
					request,
					unknown("it is under way, and its deadline has passed"),
				);
		}
		this.#forwarded.prune();
	}

	/** Sends outcomes to the followers that wait for them. */
	flush(): void {
		this.#answers.flush();
	}

	/** From now on nothing is accepted; what was accepted goes on. */
	stop(): void {
		this.#stopping ??= "the node is stopping";
	}

	/** Ends everything now: what was never tried for certain, the rest as unknown. */
	abandon(reason: string): void {
		this.#stopping ??= reason;
		for (const request of this.#admission.pending()) {
			if (request.place !== "queued") this.#finish(request, unknown(reason));
			else if (request.origin.kind === "peer")
				this.#finish(request, { kind: "retry" });
			else this.#finish(request, rejected("stopping", reason));
		}
	}

	#finish(request: Request, outcome: RequestOutcome): void {
		if (request.place === "ended") return;
		request.place = "ended";
		const { kind } = outcome;
		this.#admission.release(
			request,
			kind === "applied" || kind === "committed",
		);
		if (outcome.kind === "unknown") this.#options.counters.unknown++;
		const { origin } = request;
		if (origin.kind === "peer") {
			if (outcome.kind !== "accepted") this.#answers.add(origin, outcome);
		} else if (request.ack === "none") answerAccepted(request);
		else origin.done(toClient(outcome));
	}
}
