import { askAdmin } from "./admin.js";
import type { Place } from "./ground.js";
import type { Choice, Piece } from "./piece.js";
import type { Stage } from "./stage.js";

/** Only bounds what would hang. */
const limitMs = 60_000;

export interface TakeUp {
	readonly as: "resume" | "abort" | "run again";
	readonly argv: readonly string[];
}

/** A dead operator's lock is waited for by some, and released by others, who know that he is dead. */
export async function takeUpAs(
	stage: Stage,
	{ piece, choice }: { readonly piece: Piece; readonly choice: Choice },
	as: "resume" | "abort",
): Promise<TakeUp> {
	const { random } = stage;
	const isWaiting = random.chance(1 / 8);
	if (!isWaiting) await releaseLock(stage);
	const newest = piece.isJournaled ? await newestRecord(stage) : undefined;
	// What was paused does not lapse: somebody wished so.
	const mayLapse = piece.lapses === true && newest?.record.state === "running";
	const isLeft = mayLapse && random.chance(0.5);
	if (newest?.unfinished === true && !isLeft)
		return { as, argv: ["operation", as, "--yes"] };
	for (const fault of (await choice.tidy?.()) ?? []) stage.fail(fault);
	const waits = isWaiting && piece.isUnlocked !== true;
	const wait = waits ? ["--lock-wait", "30s"] : [];
	return { as: "run again", argv: [...choice.argv, ...wait] };
}

export function conclude({ counts }: Stage, takeUps: readonly TakeUp[]): void {
	const last = takeUps.at(-1)?.as;
	if (last === "resume") counts.resumed++;
	else if (last === "abort") counts.aborted++;
	else if (last === "run again") counts.runAgain++;
}

/** By the command, or by the call that it makes, which takes a tenth of the time. */
async function releaseLock(stage: Stage): Promise<void> {
	if (stage.random.chance(1 / 4)) {
		await stage.ground.succeed(["lock", "release", "--yes"]);
		return;
	}
	const leader = await leaderOf(stage);
	const { body } = await askAdmin(leader, "GetStatus", { limitMs });
	const { fencingToken = "0" } = body.lock ?? {};
	await askAdmin(leader, "ReleaseLock", { body: { fencingToken }, limitMs });
}

async function leaderOf(stage: Stage): Promise<Place> {
	const { leader } = await stage.members();
	return stage.ground.place(leader);
}

interface JournalRecord {
	readonly id: string;
	readonly unfinished: boolean;
	readonly record: {
		readonly state: string;
		readonly attempts: readonly { readonly as: string }[];
		readonly report: object | null;
	};
}

/** As the cluster's own journal has it, newest first. */
export async function newestRecord(
	stage: Stage,
): Promise<JournalRecord | undefined> {
	const leader = await leaderOf(stage);
	const { body } = await askAdmin(leader, "ListOperations", { limitMs });
	const [newest] = (body.operations ?? []) as {
		readonly id: string;
		readonly unfinished?: boolean;
		readonly record: string;
	}[];
	if (newest === undefined) return undefined;
	const { id, unfinished = false, record } = newest;
	return { id, unfinished, record: JSON.parse(record) };
}
