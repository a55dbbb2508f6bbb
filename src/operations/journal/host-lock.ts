import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import type { OperationLock } from "../lock.js";
import { isSilence } from "../wait.js";
import {
	beatEveryMs,
	deadAfterMs,
	type HolderFile,
	heldBy,
	holderIn,
	isSame,
	leftPath,
	lockIn,
	lookEveryMs,
	type Sighting,
	setAside,
	sighted,
	sweep,
} from "./host-lock-files.js";
import { jsonIn, type Place, placesOf, runThere } from "./host-places.js";

/** So often in a row a lock may be neither taken nor there to be looked at. */
const maxVainTries = 10;

/**
 * Runs `body` under a lock on every host of the cluster file that answers, for operations that cannot lean on a quorum. A
 * lock is the directory `operation.lock`, which is put there whole by one rename and kept alive by a heartbeat in it. Clocks
 * are not compared: a holder is dead when its heartbeat was watched and did not change for 20 s. Throws OperatorError
 * "locked", naming the holder, once that one was seen to live and `lockWaitMs` is over: so it takes a heartbeat at least.
 */
export async function withHostLock<Result>(
	context: OperationContext,
	wish: { readonly operation: string; readonly lockWaitMs: number },
	body: (lock: OperationLock) => Promise<Result>,
): Promise<Result> {
	const lock = new HostLock(context, wish);
	try {
		await lock.acquire();
		return await body(lock);
	} finally {
		await lock.release();
	}
}

class HostLock implements OperationLock {
	/** No node is asked under this lock: there is nothing to fence. */
	readonly fencingToken = 0;
	readonly signal: AbortSignal;
	readonly #context: OperationContext;
	readonly #wish: { readonly operation: string; readonly lockWaitMs: number };
	readonly #nonce = randomUUID();
	readonly #ended = new AbortController();
	readonly #lost = new AbortController();
	readonly #held: Place[] = [];
	/** Nonces of holders that were found dead on one host: they are so on all, for none goes on that misses a beat on one. */
	readonly #dead = new Set<string>();
	#beating: Promise<void> = Promise.resolve();
	#step = "";
	#beats = 0;

	constructor(
		context: OperationContext,
		wish: { readonly operation: string; readonly lockWaitMs: number },
	) {
		this.#context = context;
		this.#wish = wish;
		this.signal = AbortSignal.any([context.signal, this.#lost.signal]);
	}

	setStep(step: string): void {
		this.#step = step;
	}

	async requireFresh(): Promise<void> {
		throwIfEnded(this.signal);
		for (const place of this.#held)
			if (!(await this.#isMine(place))) this.#lose(place);
		throwIfEnded(this.signal);
	}

	async acquire(): Promise<void> {
		this.#beating = this.#keepBeating();
		for (const place of await placesOf(this.#context)) {
			const fallen = await this.#acquireOn(place);
			this.#held.push(place);
			await sweep(place, fallen);
		}
	}

	/** Bounded, and deaf to Ctrl-C: an interrupted operation must not keep the next one waiting. */
	async release(): Promise<void> {
		this.#ended.abort();
		await this.#beating;
		for (const place of this.#held) {
			const gone = leftPath(place, this.#nonce);
			try {
				if (!(await this.#isMine(place))) continue;
				await runThere(place, ["mv", "-T", lockIn(place), gone]);
				await runThere(place, ["rm", "-rf", gone]);
			} catch (error) {
				this.#context.emit({
					...{ type: "warning", node: null },
					message: `the operation lock on ${place.host.name} was not released; the next operation waits ${deadAfterMs / 1000} s for it: ${reasonOf(error)}`,
				});
			}
		}
	}

	async #acquireOn(place: Place): Promise<string | null> {
		const own = `${lockIn(place)}.${this.#nonce}`;
		await place.host.upload(join(own, "holder.json"), this.#file(), 0o600);
		try {
			return await this.#put(place, own);
		} catch (error) {
			await runThere(place, ["rm", "-rf", own]);
			throw error;
		}
	}

	/**
	 * Renames its own directory to the lock's: that fails while there is one with anything in it. Returns the nonce of the
	 * dead holder whose place it took, or null.
	 */
	async #put(place: Place, own: string): Promise<string | null> {
		const { clock, signal } = this.#context;
		const startedAt = clock.now();
		const watched = new Watch(clock.now());
		let fallen: string | null = null;
		for (let vain = 0; ; ) {
			throwIfEnded(signal);
			const why = await renamed(place, own);
			if (why === null) return fallen;
			const seen = await sighted(place);
			// A line may break between the rename and its answer.
			if (seen?.file.nonce === this.#nonce) return fallen;
			if (seen === null && ++vain > maxVainTries) throw unusable(place, why);
			if (seen !== null) {
				vain = 0;
				const { nonce } = seen.file;
				const unchangedMs = watched.unchangedMs(seen, clock.now());
				const isDead = unchangedMs >= deadAfterMs || this.#dead.has(nonce);
				if (isDead) this.#dead.add(nonce);
				// Before that nobody can say that its holder lives, and a dead one is no reason to give up.
				const isSure = isDead || watched.hasChanged;
				if (isDead && (await setAside(place, seen))) {
					fallen = nonce;
					continue;
				}
				if (isSure && clock.now() - startedAt >= this.#wish.lockWaitMs)
					throw heldBy(place, seen);
			}
			await clock.sleep(lookEveryMs, signal).catch(() => throwIfEnded(signal));
		}
	}

	#file(): Uint8Array {
		const { holder, clock } = this.#context;
		const file: HolderFile = {
			...{ version: 1, nonce: this.#nonce, ...holder },
			operation: this.#wish.operation,
			acquiredAtMs: clock.unixMs(),
		};
		return Buffer.from(`${JSON.stringify(file)}\n`);
	}

	async #keepBeating(): Promise<void> {
		const { clock } = this.#context;
		let provenAt = clock.now();
		for (;;) {
			await clock.sleep(beatEveryMs, this.#ended.signal).catch(() => undefined);
			if (this.#ended.signal.aborted) return;
			const askedAt = clock.now();
			try {
				for (const place of this.#held) {
					if (!(await this.#isMine(place))) return this.#lose(place);
					await this.#beat(place);
				}
				provenAt = askedAt;
			} catch (error) {
				if (clock.now() - provenAt < deadAfterMs - 2 * beatEveryMs) continue;
				return this.#lost.abort(lossOf(reasonOf(error)));
			}
		}
	}

	/** In a file of its own name: what is written too late into another's lock means nothing there. */
	async #beat(place: Place): Promise<void> {
		const path = join(lockIn(place), `beat-${this.#nonce}`);
		const text = JSON.stringify({ beat: ++this.#beats, step: this.#step });
		const { exitCode, stderr } = await runThere(place, ["tee", path], text);
		if (exitCode !== 0)
			throw new OperatorError("unreachable", stderr.trim(), {
				node: place.host.name,
			});
	}

	async #isMine(place: Place): Promise<boolean> {
		const file = await jsonIn<HolderFile>(place, holderIn(place));
		return file?.nonce === this.#nonce;
	}

	#lose({ host }: Place): void {
		this.#lost.abort(lossOf(`another has taken it on ${host.name}`));
	}
}

/** Null when its own directory is the lock now; else why that is not so, or not known. */
async function renamed(place: Place, own: string): Promise<string | null> {
	try {
		const moved = await runThere(place, ["mv", "-T", own, lockIn(place)]);
		return moved.exitCode === 0 ? null : moved.stderr;
	} catch (error) {
		if (isSilence(error) && !error.isLasting) return error.message;
		throw error;
	}
}

/** How long a lock has looked the same to this process. */
class Watch {
	/** Somebody who lives holds it, or did a moment ago. */
	hasChanged = false;
	#last: Sighting | null = null;
	#sinceMs: number;

	constructor(nowMs: number) {
		this.#sinceMs = nowMs;
	}

	unchangedMs(seen: Sighting, nowMs: number): number {
		if (!isSame(this.#last, seen)) {
			this.hasChanged ||= this.#last !== null;
			this.#last = seen;
			this.#sinceMs = nowMs;
		}
		return nowMs - this.#sinceMs;
	}
}

function lossOf(why: string): OperatorError {
	return new OperatorError("locked", `the operation lock was lost: ${why}`);
}

function unusable(place: Place, why: string): OperatorError {
	return new OperatorError(
		"refused",
		`the operation lock ${lockIn(place)} can neither be taken nor read: ${why.trim()}`,
		{
			node: place.host.name,
			state: "nothing was touched",
			next: `look at it; when nobody operates, mv ${lockIn(place)} ${lockIn(place)}.old`,
		},
	);
}
