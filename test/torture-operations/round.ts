import { adminCall } from "../daemon/raftd-process.js";
import type { Blow, OperatorRun } from "./operator.js";
import { operate } from "./operator.js";
import {
	type Choice,
	type Members,
	type Piece,
	sparesOf,
} from "./repertoire.js";
import type { Shape, Stage } from "./stage.js";

/** How one operation is disturbed. */
export interface Disturbance {
	/** The first hits the operation, each other one whoever takes it up. */
	readonly blows: readonly Blow[];
	readonly end: "resume" | "abort";
}

/** An operation that was chosen on a cluster that has its shape, and what was so before it. */
export interface Scene {
	readonly piece: Piece;
	readonly choice: Choice;
	readonly startsBefore: ReadonlyMap<string, number>;
	/** Starts that the torture itself owes, by node. */
	readonly owedStarts: Map<string, number>;
}

/** Chooses a run of `piece` on a cluster brought to its shape, with `more` voters than it needs. */
export async function prepare(
	stage: Stage,
	piece: Piece,
	more = 0,
): Promise<{ scene: Scene; members: Members }> {
	const shape = withMore(piece.needs, more);
	const members = await stage.bringTo(shape);
	const choice = piece.choose(members, stage.random, stage.ground);
	for (const id of sparesOf(stage.ground, members)) await stage.ground.wipe(id);
	const startsBefore = await stage.ground.starts();
	const scene = { piece, choice, startsBefore, owedStarts: new Map() };
	return { scene, members };
}

export function withMore({ voters, learners }: Shape, more: number): Shape {
	return { voters: voters + more, learners };
}

/** Runs it undisturbed. Returns its boundaries. */
export async function rehearse(
	stage: Stage,
	piece: Piece,
): Promise<readonly string[]> {
	stage.round = `rehearsal of ${piece.name}`;
	const { scene } = await prepare(stage, piece);
	const run = await operate(stage.ground, scene.choice.argv, null);
	if (run.exitCode !== 0) throw new Error(storyOf("the rehearsal", run));
	await judge(stage, scene, { isDone: true });
	return run.boundaries;
}

/** One operation, killed and taken up again until it is at its end, and everything looked at afterwards. */
export async function operatorRound(
	stage: Stage,
	piece: Piece,
	{ blows, end }: Disturbance,
): Promise<void> {
	const { scene } = await prepare(stage, piece);
	let run = await operate(stage.ground, scene.choice.argv, blows[0] ?? null);
	const takeUps: TakeUp[] = [];
	for (const blow of [...blows.slice(1), null]) {
		if (!countBlow(stage, piece, run)) break;
		const isLast = blow === null;
		const as = isLast ? end : "resume";
		const takeUp = await takeUpAs(stage, scene, as);
		takeUps.push(takeUp);
		run = await operate(stage.ground, takeUp.argv, blow);
	}
	if (run.exitCode !== 0) {
		stage.fail(storyOf(takeUps.at(-1)?.as ?? "the operation", run));
		return await clearAway(stage);
	}
	conclude(stage, takeUps);
	const last = takeUps.at(-1)?.as;
	await judge(stage, scene, { isDone: last !== "abort" });
	await auditOf(stage, scene, takeUps);
}

/** Adds a blow that hit to what was counted. */
function countBlow(stage: Stage, { name }: Piece, run: OperatorRun): boolean {
	if (run.struckAt === null) return false;
	stage.counts.kills++;
	stage.counts.operations.add(name);
	stage.counts.boundaries.add(`${name}: ${run.struckAt}`);
	return true;
}

export interface TakeUp {
	readonly as: "resume" | "abort" | "run again";
	readonly argv: readonly string[];
}

/** A dead operator's lock is waited for by some, and released by others, who know that he is dead. */
export async function takeUpAs(
	stage: Stage,
	{ piece, choice }: Pick<Scene, "piece" | "choice">,
	as: "resume" | "abort",
): Promise<TakeUp> {
	const { ground, random } = stage;
	const isWaiting = random.chance(1 / 8);
	if (!isWaiting) await ground.succeed(["lock", "release", "--yes"]);
	const isUnfinished =
		piece.isJournaled && (await newestRecord(stage))?.unfinished === true;
	if (isUnfinished) return { as, argv: ["operation", as, "--yes"] };
	const wait = isWaiting ? ["--lock-wait", "30s"] : [];
	const hasLock = piece.name !== "snapshot-save";
	return {
		as: "run again",
		argv: [...choice.argv, ...(hasLock ? wait : [])],
	};
}

export function conclude({ counts }: Stage, takeUps: readonly TakeUp[]): void {
	const last = takeUps.at(-1)?.as;
	if (last === "resume") counts.resumed++;
	else if (last === "abort") counts.aborted++;
	else if (last === "run again") counts.runAgain++;
}

/** After a failure: whatever is unfinished is given up, so that the rounds to come stand on their own. */
export async function clearAway(stage: Stage): Promise<void> {
	const { ground } = stage;
	stage.mayDiffer = true;
	await ground.run(["lock", "release", "--yes"]);
	await ground.run(["operation", "abort", "--yes"]);
}

/** What must hold after every round. */
export async function judge(
	stage: Stage,
	{ choice, startsBefore, owedStarts }: Scene,
	{ isDone, more = 0 }: { readonly isDone: boolean; readonly more?: number },
): Promise<void> {
	const members = await stage.rest();
	const starts = await stage.ground.starts();
	for (const [id, count] of starts) {
		const now = count - (startsBefore.get(id) ?? 0);
		const planned = choice.starts[id] ?? 0;
		const owed = owedStarts.get(id) ?? 0;
		if (now > planned + owed) {
			stage.counts.extraRestarts += now - planned - owed;
			stage.fail(`${id} was started ${now} times, not ${planned + owed}`);
		}
		if (isDone && now < planned)
			stage.fail(`${id} was started ${now} times, not ${planned}`);
	}
	stage.mayDiffer = !isDone;
	if (!isDone) return;
	judgeGoal(stage, choice, { members, more });
	const { exitCode, stdout } = await stage.ground.run(["diff"]);
	if (exitCode !== 0) stage.fail(`the cluster file differs: ${stdout}`);
}

function judgeGoal(
	stage: Stage,
	{ goal }: Choice,
	{ members, more }: { readonly members: Members; readonly more: number },
): void {
	const { voters, learners } = members;
	const all = new Set([...voters, ...learners]);
	const isReached =
		voters.length === goal.voters + more &&
		learners.length === goal.learners &&
		(goal.has ?? []).every((id) => all.has(id)) &&
		!(goal.hasNot ?? []).some((id) => all.has(id));
	if (!isReached)
		stage.fail(
			`it came to ${JSON.stringify(members)}, not to ${JSON.stringify(goal)}`,
		);
}

interface JournalRecord {
	readonly unfinished: boolean;
	readonly record: {
		readonly state: string;
		readonly attempts: readonly { readonly as: string }[];
		readonly report: object | null;
	};
}

/** As the cluster's own journal has it, newest first. */
async function newestRecord(stage: Stage): Promise<JournalRecord | undefined> {
	const { leader } = await stage.members();
	const place = { ...stage.ground.place(leader), path: "", data: "", peer: "" };
	const { operations = [] } = await adminCall(place, "ListOperations");
	const [newest] = operations as { unfinished?: boolean; record: string }[];
	if (newest === undefined) return undefined;
	const { unfinished = false, record } = newest;
	return { unfinished, record: JSON.parse(record) };
}

/** The journal tells the whole story: every attempt, how it ended, and what it did cost. */
async function auditOf(
	stage: Stage,
	{ piece }: Scene,
	takeUps: readonly TakeUp[],
): Promise<void> {
	if (!piece.isJournaled) return;
	const told = await newestRecord(stage);
	const begun = takeUps.findLastIndex(({ as }) => as === "run again");
	const expected = ["begin", ...takeUps.slice(begun + 1).map(({ as }) => as)];
	const attempts = told?.record.attempts.map(({ as }) => as) ?? [];
	const state = expected.at(-1) === "abort" ? "aborted" : "done";
	const isComplete =
		told?.unfinished === false &&
		told.record.state === state &&
		told.record.report !== null &&
		attempts.join() === expected.join();
	if (!isComplete)
		stage.fail(
			`the journal says ${told?.record.state}, ${attempts.join(", ")}; it was ${state}, ${expected.join(", ")}`,
		);
}

export function storyOf(what: string, run: OperatorRun): string {
	const { exitCode, boundaries, said, stderr } = run;
	return `${what} ended with ${exitCode} after ${boundaries.at(-1) ?? "nothing"}\n${said.slice(-3000)}\n${stderr.slice(-3000)}`;
}
