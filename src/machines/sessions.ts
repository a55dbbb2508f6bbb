import { Fingerprint } from "./fingerprint.js";
import type { SessionAnswer, SessionStamp } from "./session-command.js";

export * from "./session-command.js";

/** Constants of the format: every node must refuse the same command. */
export const sessionLimits = {
	sessions: 4096,
	/** Results that a session keeps until its client has acknowledged them. */
	results: 1024,
	resultBytes: 1024 * 1024,
	/** Beyond this, all sessions together, each is left a small share: none starves the others. */
	totalBytes: 64 * 1024 * 1024,
	shareBytes: 16 * 1024,
	maxTtlMs: 24 * 60 * 60 * 1000,
	/** Where there is no room for another, one that was silent for so long gives way, whatever its time. */
	sureMs: 60_000,
} as const;

/** What a kept result costs beside its bytes. */
const overheadBytes = 32;

/** Never changed once it is kept: frozen tables share them. */
export interface KeptResult {
	readonly sequence: number;
	readonly index: number;
	readonly result: Uint8Array;
	readonly low: number;
	readonly high: number;
}

export interface Session {
	readonly id: number;
	readonly ttlMs: number;
	activeAtMs: number;
	acknowledged: number;
	/** By sequence number, all above `acknowledged`. */
	readonly results: Map<number, KeptResult>;
	bytes: number;
	/** Who may change it in place; for everyone else it is shared, and copied first. */
	readonly owner: object;
}

/** What is to be done with a session's command: null to execute it, and then `keep` its result. */
export type SessionVerdict = SessionAnswer | null;

/**
 * The sessions of clients that want their commands executed once, however often they are sent (thesis, section 6.3;
 * P58). A part of the replicated state: time is what control commands say it is, and it only goes forward.
 */
export class SessionTable {
	#sessions = new Map<number, Session>();
	#owner: object = {};
	#bytes = 0;
	/** Sums of the kept results' fingerprints, modulo 2^32. */
	#low = 0;
	#high = 0;

	get size(): number {
		return this.#sessions.size;
	}

	/** In the order in which they were opened. Not to be changed. */
	all(): Iterable<Readonly<Session>> {
		return this.#sessions.values();
	}

	/** False when there is no room for another: all were in use within `sureMs`. */
	open(id: number, ttlMs: number, nowMs: number): boolean {
		if (this.#sessions.size >= sessionLimits.sessions) {
			const silent = this.#longestSilent();
			if (silent === null || silent.activeAtMs + sessionLimits.sureMs > nowMs)
				return false;
			this.#remove(silent);
		}
		this.#sessions.set(id, this.#session({ id, ttlMs, activeAtMs: nowMs }));
		return true;
	}

	/** Removes whose time has run out. */
	expire(nowMs: number): void {
		for (const session of this.#sessions.values()) {
			if (session.activeAtMs + session.ttlMs <= nowMs) this.#remove(session);
		}
	}

	#remove(session: Session): void {
		this.#sessions.delete(session.id);
		this.#bytes -= session.bytes;
		for (const result of session.results.values()) this.#subtract(result);
	}

	/** Of several the one that was opened first. */
	#longestSilent(): Session | null {
		let silent: Session | null = null;
		for (const session of this.#sessions.values())
			if (silent === null || session.activeAtMs < silent.activeAtMs)
				silent = session;
		return silent;
	}

	/** Notes that the session's client is there, what it has, and says what its command comes to. */
	begin(stamp: SessionStamp, nowMs: number): SessionVerdict {
		if (!this.#sessions.has(stamp.id)) return expired(stamp.id);
		const session = this.#writable(stamp.id);
		session.activeAtMs = nowMs;
		this.#acknowledge(session, stamp.acknowledged);
		if (stamp.sequence <= session.acknowledged)
			return misused(
				`command ${stamp.sequence} of the session was acknowledged before`,
			);
		const kept = session.results.get(stamp.sequence);
		if (kept !== undefined)
			return { kind: "executed", index: kept.index, result: kept.result };
		if (session.results.size >= sessionLimits.results)
			return misused(
				`the session keeps ${session.results.size} results that are not acknowledged`,
			);
		if (session.bytes >= this.#bytesFor())
			return misused(
				`the session keeps ${session.bytes} bytes of results that are not acknowledged`,
			);
		return null;
	}

	#bytesFor(): number {
		const { totalBytes, resultBytes, shareBytes } = sessionLimits;
		return this.#bytes < totalBytes ? resultBytes : shareBytes;
	}

	/** The result of the command that `begin` let through just before. */
	keep(
		{ id, sequence }: Pick<SessionStamp, "id" | "sequence">,
		index: number,
		result: Uint8Array,
	): void {
		const session = this.#writable(id);
		const { low, high } = print
			.begin()
			.number(id)
			.number(sequence)
			.number(index)
			.bytes(result)
			.end();
		// A copy: what a machine gives may be a view of the command, and that of a network buffer.
		const kept = {
			...{ sequence, index, low, high },
			result: new Uint8Array(result),
		};
		session.results.set(sequence, kept);
		const bytes = result.length + overheadBytes;
		session.bytes += bytes;
		this.#bytes += bytes;
		this.#low = (this.#low + low) | 0;
		this.#high = (this.#high + high) | 0;
	}

	/** For a table that is restored. */
	add(session: Omit<Session, "results" | "bytes" | "owner">): void {
		this.#sessions.set(session.id, this.#session(session));
	}

	/** The table as it is now, for as long as anyone reads it; a session is copied when it changes meanwhile. */
	frozen(): SessionTable {
		const view = new SessionTable();
		view.#sessions = new Map(this.#sessions);
		view.#bytes = this.#bytes;
		view.#low = this.#low;
		view.#high = this.#high;
		// From now on neither of the two owns what both hold.
		this.#owner = {};
		return view;
	}

	/** Adds to `into` what tells this table from another. */
	fingerprint(into: Fingerprint): void {
		into.number(this.#sessions.size);
		for (const session of this.#sessions.values())
			into
				.number(session.id)
				.number(session.ttlMs)
				.number(session.activeAtMs)
				.number(session.acknowledged)
				.number(session.results.size);
		into.number(this.#low).number(this.#high);
	}

	#acknowledge(session: Session, acknowledged: number): void {
		if (acknowledged <= session.acknowledged) return;
		const before = session.acknowledged;
		session.acknowledged = acknowledged;
		if (acknowledged - before > session.results.size) {
			for (const sequence of session.results.keys())
				if (sequence <= acknowledged) this.#forget(session, sequence);
			return;
		}
		for (let sequence = before + 1; sequence <= acknowledged; sequence++)
			this.#forget(session, sequence);
	}

	#forget(session: Session, sequence: number): void {
		const kept = session.results.get(sequence);
		if (kept === undefined) return;
		session.results.delete(sequence);
		const bytes = kept.result.length + overheadBytes;
		session.bytes -= bytes;
		this.#bytes -= bytes;
		this.#subtract(kept);
	}

	#subtract({ low, high }: KeptResult): void {
		this.#low = (this.#low - low) | 0;
		this.#high = (this.#high - high) | 0;
	}

	#writable(id: number): Session {
		const session = this.#sessions.get(id) as Session;
		if (session.owner === this.#owner) return session;
		const copy = {
			...session,
			results: new Map(session.results),
			owner: this.#owner,
		};
		this.#sessions.set(id, copy);
		return copy;
	}

	#session(
		given: Pick<Session, "id" | "ttlMs" | "activeAtMs"> & Partial<Session>,
	): Session {
		return {
			...{ acknowledged: 0, bytes: 0, ...given },
			...{ results: new Map(), owner: this.#owner },
		};
	}
}

const print = new Fingerprint();

function expired(id: number): SessionAnswer {
	return {
		...{ kind: "refused", reason: "session-expired" },
		message: `there is no session ${id}: it has expired, or was never opened`,
	};
}

function misused(message: string): SessionAnswer {
	return { kind: "refused", reason: "session-misused", message };
}
