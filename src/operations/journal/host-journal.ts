import { join } from "node:path";
import type { StoredOperation } from "../../cluster/engine.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { namesIn } from "../host-files.js";
import { withHostLock } from "./host-lock.js";
import { awaitHostLockTurn } from "./host-lock-turn.js";
import {
	jsonIn,
	type Place,
	placesOf,
	reachablePlaces,
	runThere,
} from "./host-places.js";
import type { Journal } from "./journal.js";
import type { Keeping } from "./keeping.js";
import { isUnfinished, type OperationRecord } from "./record.js";

/** On the hosts of the cluster file: for operations that begin where there is no quorum. */
export const onHosts: Keeping = {
	withLock: withHostLock,
	awaitTurn: awaitHostLockTurn,
	journal: (context) => hostJournal(context),
	read: readHostJournal,
};

/** `operations/<id>.json` in the state directory (docs/formats.md). */
interface RecordFile {
	readonly version: 1;
	/** One more with each write: the newest copy of several hosts is told by it, not by their clocks. */
	readonly sequence: number;
	readonly operation: Omit<StoredOperation, "pauseRequested">;
}

/** As many finished ones as the cluster itself keeps. */
const keptFinished = 50;

function hostJournal(context: OperationContext): Journal {
	return {
		async write(record, attempt) {
			const places = await placesOf(context);
			const before = await newest(places, record.id);
			const nowMs = context.clock.unixMs();
			const operation = {
				...{ id: record.id, unfinished: isUnfinished(record) },
				record: JSON.stringify(record),
				beganAtMs: before?.operation.beganAtMs ?? nowMs,
				updatedAtMs: nowMs,
			};
			const sequence = (before?.sequence ?? 0) + 1;
			const file: RecordFile = { version: 1, sequence, operation };
			const content = Buffer.from(`${JSON.stringify(file)}\n`);
			const { id, unfinished } = operation;
			for (const place of places) {
				if (attempt === "begins" || !unfinished)
					await runThere(place, ["rm", "-f", pausePath(place, id)]);
				// Before the record, and gone after it: there is no unfinished record that it does not name.
				if (attempt === "begins")
					await place.host.upload(markPath(place), Buffer.from(id), 0o600);
				await place.host.upload(recordPath(place, id), content, 0o600);
				if (!unfinished) await runThere(place, ["rm", "-f", markPath(place)]);
			}
			if (before === null) await forgetOld(places);
			const pauseRequested = await isPauseRequested(places, record.id);
			return { ...operation, pauseRequested };
		},
	};
}

async function readHostJournal(
	context: OperationContext,
): Promise<readonly StoredOperation[]> {
	return readAt(await placesOf(context));
}

/** The same for who needs no host, and so may reach none: then it is empty. */
export async function readReachableHosts(
	context: OperationContext,
): Promise<readonly StoredOperation[]> {
	return readAt((await reachablePlaces(context)).places);
}

/** The one that is not finished; null when there is none, or no host answers. Lists no directory: everybody asks first. */
export async function unfinishedOnHosts(
	context: OperationContext,
): Promise<StoredOperation | null> {
	const { places } = await reachablePlaces(context);
	const marks = await Promise.all(
		places.map((place) => place.host.read(markPath(place))),
	);
	const ids = marks.flatMap((mark) =>
		mark === null ? [] : [Buffer.from(mark).toString("utf8").trim()],
	);
	const found = await readThese(places, new Set(ids));
	return found.find(({ unfinished }) => unfinished) ?? null;
}

async function readAt(
	places: readonly Place[],
): Promise<readonly StoredOperation[]> {
	const ids = new Set<string>();
	for (const found of await Promise.all(places.map(idsIn)))
		for (const id of found) ids.add(id);
	return readThese(places, ids);
}

async function readThese(
	places: readonly Place[],
	ids: ReadonlySet<string>,
): Promise<readonly StoredOperation[]> {
	const found = await Promise.all(
		[...ids].map(async (id) => {
			const file = await newest(places, id);
			if (file === null) return [];
			const pauseRequested = await isPauseRequested(places, id);
			return [{ ...file.operation, pauseRequested }];
		}),
	);
	return found.flat().sort((a, b) => b.beganAtMs - a.beganAtMs);
}

/** Asks whoever runs the operation to stop at the next step boundary. */
export async function pauseOnHosts(
	context: OperationContext,
	{ id }: Pick<OperationRecord, "id">,
): Promise<void> {
	for (const place of await placesOf(context))
		await place.host.upload(pausePath(place, id), Buffer.from("\n"), 0o600);
}

async function newest(
	places: readonly Place[],
	id: string,
): Promise<RecordFile | null> {
	const files = await Promise.all(
		places.map((place) => jsonIn<RecordFile>(place, recordPath(place, id))),
	);
	const [last] = files
		.flatMap((file) => (file === null ? [] : [readable(file, id)]))
		.sort((a, b) => b.sequence - a.sequence);
	return last ?? null;
}

function readable(file: RecordFile, id: string): RecordFile {
	if (file.version === 1) return file;
	throw new OperatorError(
		"refused",
		`the record of operation ${id} on the hosts was written by a newer raftctl`,
		{
			state: "nothing was touched",
			next: "use the raftctl that began it, or a newer one",
		},
	);
}

async function isPauseRequested(
	places: readonly Place[],
	id: string,
): Promise<boolean> {
	const marks = await Promise.all(
		places.map((place) => place.host.read(pausePath(place, id))),
	);
	return marks.some((mark) => mark !== null);
}

async function forgetOld(places: readonly Place[]): Promise<void> {
	const finished = (await readAt(places)).filter(
		({ unfinished }) => !unfinished,
	);
	for (const { id } of finished.slice(keptFinished))
		for (const place of places)
			await runThere(place, [
				...["rm", "-f", recordPath(place, id), pausePath(place, id)],
			]);
}

const recordName = /^([a-z0-9]+-[0-9a-f]+)\.json$/;

async function idsIn(place: Place): Promise<readonly string[]> {
	const directory = join(place.stateDirectory, "operations");
	const names = await namesIn(place.host, directory);
	return names.flatMap((name) => recordName.exec(name)?.[1] ?? []);
}

function recordPath({ stateDirectory }: Place, id: string): string {
	return join(stateDirectory, "operations", `${id}.json`);
}

function markPath({ stateDirectory }: Place): string {
	return join(stateDirectory, "operations", "unfinished");
}

function pausePath({ stateDirectory }: Place, id: string): string {
	return join(stateDirectory, "operations", `${id}.pause`);
}
