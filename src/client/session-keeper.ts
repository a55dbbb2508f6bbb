import { OpenSession } from "./open-session.js";
import type { Request } from "./request.js";

/** A longer command is not kept to be repeated; its session may expire, and the next command opens another. */
const maxKeptBytes = 64 * 1024;
/** Of the session's life without a command: after one such part it is kept alive. */
const keepAliveParts = 3;

interface KeeperOptions {
	/** Asks the cluster for a session, until this time. */
	open(deadlineMs: number): Promise<{ id: number; ttlMs: number }>;
	/** Sends it: it has a place in the session. */
	submit(request: Request): void;
	fail(request: Request, error: Error): void;
	/** Sends what was executed once more, under the same number. */
	repeat(place: NonNullable<Request["place"]>, bytes: Uint8Array): void;
}

/**
 * Gives commands their places in a session (thesis, section 6.3). Opens one when the first command comes, and another
 * after it has expired; keeps those back that the session has no room for.
 */
export class SessionKeeper {
	readonly #options: KeeperOptions;
	#session: OpenSession | null = null;
	#opening = false;
	#waiting: Request[] = [];
	/** The last command of an idle session, and its bytes. */
	#last: { readonly sequence: number; readonly bytes: Uint8Array } | null =
		null;
	#timer: NodeJS.Timeout | null = null;

	constructor(options: KeeperOptions) {
		this.#options = options;
	}

	/** Those that have no place yet. */
	get waiting(): Iterable<Request> {
		return this.#waiting;
	}

	forgetSettled(): void {
		this.#waiting = this.#waiting.filter(({ settled }) => !settled);
	}

	/** Sends it as soon as it has a place. */
	take(request: Request): void {
		request.place = null;
		this.#waiting.push(request);
		this.#work();
	}

	/** Its last word is said. `isDone`: the cluster keeps its result. */
	settled({ place, bytes }: Request, isDone: boolean): void {
		if (place === null) return;
		const { session, sequence } = place;
		session.end(sequence);
		if (session !== this.#session) return;
		if (session.isIdle) {
			const isKept = isDone && bytes.length <= maxKeptBytes;
			// Its owner may change the bytes from now on.
			this.#last = isKept ? { sequence, bytes: Uint8Array.from(bytes) } : null;
		}
		this.#work();
	}

	/** The cluster does not know the session any more. */
	expired({ place }: Request): void {
		if (place === null) return;
		place.session.end(place.sequence);
		if (place.session === this.#session) this.#leaveSession();
	}

	close(): void {
		this.#leaveSession();
	}

	#leaveSession(): void {
		this.#session = null;
		this.#last = null;
		if (this.#timer !== null) clearInterval(this.#timer);
		this.#timer = null;
	}

	#work(): void {
		const session = this.#session;
		if (session === null) {
			if (this.#waiting.length > 0) void this.#open();
			return;
		}
		let at = 0;
		for (; at < this.#waiting.length && session.hasRoom; at++) {
			const request = this.#waiting[at] as Request;
			if (request.settled) continue;
			request.place = { session, sequence: session.begin() };
			this.#options.submit(request);
		}
		if (at > 0) this.#waiting = this.#waiting.slice(at);
	}

	async #open(): Promise<void> {
		if (this.#opening) return;
		this.#opening = true;
		let deadlineMs = 0;
		for (const request of this.#waiting)
			deadlineMs = Math.max(deadlineMs, request.deadlineMs);
		try {
			const { id, ttlMs } = await this.#options.open(deadlineMs);
			this.#begin(new OpenSession(id, ttlMs));
		} catch (error) {
			// Those that came later and have more time have another try.
			const refused = this.#waiting.filter(
				(request) => request.deadlineMs <= deadlineMs,
			);
			this.#waiting = this.#waiting.filter(
				(request) => request.deadlineMs > deadlineMs,
			);
			for (const request of refused)
				this.#options.fail(request, error as Error);
		}
		this.#opening = false;
		this.#work();
	}

	#begin(session: OpenSession): void {
		this.#session = session;
		const everyMs = Math.max(session.ttlMs / keepAliveParts, 10);
		this.#timer = setInterval(() => this.#keepAlive(session), everyMs);
		this.#timer.unref();
	}

	/**
	 * Nothing but a command keeps a session alive: the last one, once more, changes nothing. Its number is above all
	 * that were acknowledged, as none was sent after it.
	 */
	#keepAlive(session: OpenSession): void {
		const last = this.#last;
		if (last === null || !session.isIdle) return;
		session.repeat(last.sequence);
		this.#options.repeat({ session, sequence: last.sequence }, last.bytes);
	}
}
