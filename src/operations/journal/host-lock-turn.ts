import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import {
	beatEveryMs,
	heldBy,
	isSame,
	lookEveryMs,
	moveAside,
	type Sighting,
	sighted,
} from "./host-lock-files.js";
import { type Place, reachablePlaces } from "./host-places.js";

/** The lock that lies on the hosts, as people see it. */
export interface HostLockStatus {
	/** user@host:pid */
	readonly holder: string;
	readonly host: string;
	readonly operation: string;
	readonly step: string;
	/** By its holder's clock. */
	readonly acquiredAtMs: number;
	/** By this alone a lock is known again. */
	readonly nonce: string;
	/** False when it was watched for two heartbeats and did not change. */
	readonly isAlive: boolean;
}

/** Watches the lock for a moment. A dead holder counts until somebody takes its place; null when nobody holds it. */
export async function hostLockStatus(
	context: OperationContext,
): Promise<HostLockStatus | null> {
	const found = await watchLock(context);
	if (found === null) return null;
	const { isAlive, seen } = found;
	const { holder, host, operation, acquiredAtMs, nonce } = seen.file;
	const held = { holder, host, operation, acquiredAtMs, nonce };
	return { ...held, step: stepOf(seen), isAlive };
}

/** Waits until nobody who lives holds the lock on the hosts. Throws OperatorError "locked", naming the holder. */
export async function awaitHostLockTurn(
	context: OperationContext,
	lockWaitMs: number,
): Promise<void> {
	const { clock, emit, signal } = context;
	const startedAt = clock.now();
	let told = "";
	for (;;) {
		throwIfEnded(signal);
		const found = await watchLock(context);
		if (found === null || !found.isAlive) return;
		const { place, seen } = found;
		if (clock.now() - startedAt >= lockWaitMs) throw heldBy(place, seen);
		const { holder, operation } = seen.file;
		if (holder !== told) {
			const message = `waiting for the operation lock on the hosts: ${operation} by ${holder}`;
			emit({ type: "warning", node: null, message });
		}
		told = holder;
		await clock.sleep(lookEveryMs, signal).catch(() => throwIfEnded(signal));
	}
}

/** Takes it from its holder, who ends with his next look. Throws OperatorError "refused" when it is another's by now. */
export async function releaseHostLock(
	context: OperationContext,
	{ holder, nonce }: HostLockStatus,
): Promise<void> {
	let released = 0;
	for (const place of (await reachablePlaces(context)).places) {
		if ((await sighted(place))?.file.nonce !== nonce) continue;
		if (await moveAside(place, nonce)) released++;
	}
	if (released > 0) return;
	throw new OperatorError(
		"refused",
		`the lock on the hosts is not that of ${holder} any more`,
		{
			state: "nothing was released",
			next: commandFor(context, "lock status"),
		},
	);
}

interface Found {
	readonly place: Place;
	readonly seen: Sighting;
	readonly isAlive: boolean;
}

async function watchLock(context: OperationContext): Promise<Found | null> {
	const { clock, signal } = context;
	for (const place of (await reachablePlaces(context)).places) {
		const seen = await sighted(place);
		if (seen === null) continue;
		const startedAt = clock.now();
		let now: Sighting | null = seen;
		while (isSame(now, seen) && clock.now() - startedAt < 2 * beatEveryMs) {
			await clock.sleep(lookEveryMs, signal).catch(() => throwIfEnded(signal));
			now = await sighted(place);
		}
		if (now !== null) return { place, seen: now, isAlive: !isSame(now, seen) };
	}
	return null;
}

/** Empty before its first heartbeat, and while one is being written. */
function stepOf({ beat }: Sighting): string {
	try {
		const { step } = JSON.parse(beat) as { readonly step?: unknown };
		return typeof step === "string" ? step : "";
	} catch {
		return "";
	}
}
