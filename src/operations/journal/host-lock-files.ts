import { basename, join } from "node:path";
import { OperatorError } from "../../errors.js";
import { namesIn } from "../host-files.js";
import { jsonIn, type Place, runThere } from "./host-places.js";

/** Whoever has not beaten for so long is dead, or so slow that it must not go on. */
export const deadAfterMs = 20_000;
export const beatEveryMs = 3_000;
export const lookEveryMs = 1_000;

const lockName = "operation.lock";
const deadSuffix = ".dead-";
const leftSuffix = ".left-";

/** `holder.json` in the lock's directory (docs/formats.md). */
export interface HolderFile {
	readonly version: 1;
	/** By this alone an operation knows its lock. */
	readonly nonce: string;
	readonly holder: string;
	readonly host: string;
	readonly operation: string;
	readonly acquiredAtMs: number;
}

/** A lock as it was seen; `beat` is another text as long as its holder lives. */
export interface Sighting {
	readonly file: HolderFile;
	readonly beat: string;
}

export function lockIn({ stateDirectory }: Place): string {
	return join(stateDirectory, lockName);
}

export function holderIn(place: Place): string {
	return join(lockIn(place), "holder.json");
}

export function isSame(one: Sighting | null, other: Sighting | null): boolean {
	return one?.file.nonce === other?.file.nonce && one?.beat === other?.beat;
}

export async function sighted(place: Place): Promise<Sighting | null> {
	const file = await jsonIn<HolderFile>(place, holderIn(place));
	if (file === null) return null;
	const beat = await place.host.read(join(lockIn(place), `beat-${file.nonce}`));
	return { file, beat: Buffer.from(beat ?? []).toString("utf8") };
}

/** Moves a dead holder's lock out of the way. False when it is not as it was seen any more, or another was faster. */
export async function setAside(place: Place, seen: Sighting): Promise<boolean> {
	if (!isSame(await sighted(place), seen)) return false;
	return moveAside(place, seen.file.nonce);
}

/**
 * To a name that is the holder's alone and stays for now: of two that found it dead only one can, and the other does not
 * move what the first one put in its place.
 */
export async function moveAside(place: Place, nonce: string): Promise<boolean> {
	const lock = lockIn(place);
	const aside = `${lock}${deadSuffix}${nonce}`;
	const { exitCode } = await runThere(place, ["mv", "-T", lock, aside]);
	if (exitCode !== 0) return false;
	const moved = await jsonIn<HolderFile>(place, join(aside, "holder.json"));
	if (moved?.nonce === nonce) return true;
	// It was released and taken between the look and the rename.
	await runThere(place, ["mv", "-T", aside, lock]);
	return false;
}

/** Where a holder's own lock goes before it is removed. */
export function leftPath(place: Place, nonce: string): string {
	return `${lockIn(place)}${leftSuffix}${nonce}`;
}

/**
 * Removes what former holders left: by whoever has just taken the lock, so that there is never more than one. `fallen` is
 * the nonce of the one that it took the lock from; others may have found that one dead, too, and are yet to try.
 */
export async function sweep(
	place: Place,
	fallen: string | null,
): Promise<void> {
	const names = await namesIn(place.host, place.stateDirectory);
	const own = `${lockName}${deadSuffix}${fallen}`;
	const old = names
		.filter((name) => name !== own)
		.filter((name) =>
			[deadSuffix, leftSuffix].some((suffix) =>
				name.startsWith(`${lockName}${suffix}`),
			),
		);
	for (const name of [...old, ...(await neverPut(place))])
		await runThere(place, ["rm", "-rf", join(place.stateDirectory, name)]);
}

/** As the host's own clock says. Whoever has waited so long for the lock says that it is gone. */
const neverPutAfterMinutes = 24 * 60;
const neverPutName = /^operation\.lock\.[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Locks of operators who were killed before they could rename them to the lock's name; those who wait have such, too. */
async function neverPut(place: Place): Promise<readonly string[]> {
	const { stdout } = await runThere(place, [
		...["find", place.stateDirectory, "-maxdepth", "1"],
		...["-name", `${lockName}.*`, "-mmin", `+${neverPutAfterMinutes}`],
	]);
	return stdout
		.split("\n")
		.map((path) => basename(path))
		.filter((name) => neverPutName.test(name));
}

export function heldBy({ host }: Place, { file }: Sighting): OperatorError {
	const { operation, holder, acquiredAtMs } = file;
	return new OperatorError(
		"locked",
		`another operation is under way: ${operation} by ${holder} since ${new Date(acquiredAtMs).toISOString()}`,
		{
			node: host.name,
			state: "nothing was touched",
			next: `wait for it, or give --lock-wait 15m; a dead one is noticed after ${deadAfterMs / 1000} s`,
		},
	);
}
