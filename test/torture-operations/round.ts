import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import type { Disturbance } from "./course.js";
import { type OperatorRun, operate } from "./operator.js";
import { type Choice, type Members, type Piece, sparesOf } from "./piece.js";
import type { Shape, Stage } from "./stage.js";
import { conclude, newestRecord, type TakeUp, takeUpAs } from "./take-up.js";

/** An operation that was chosen on a cluster that has its shape, and what was so before it. */
export interface Scene {
	readonly piece: Piece;
	readonly choice: Choice;
	readonly startsBefore: ReadonlyMap<string, number>;
	/** Starts that the torture itself owes, by node. */
	readonly owedStarts: Map<string, number>;
	/** The newest operation of the journal then; null for none. */
	readonly recordBefore: string | null;
}

/** Chooses a run of `piece` on a cluster brought to its shape, with `more` voters than it needs. */
export async function prepare(
	stage: Stage,
	piece: Piece,
	more = 0,
): Promise<{ scene: Scene; members: Members }> {
	const shape = withMore(piece.needs, more);
	const members = await stage.bringTo(shape);
	const { ground } = stage;
	const choice = await piece.choose(members, stage.random, ground);
	for (const id of sparesOf(ground, members)) await ground.wipe(id);
	for (const argv of choice.before ?? []) await ground.succeed(argv);
	const startsBefore = await ground.starts();
	const recordBefore = (await newestRecord(stage))?.id ?? null;
	if (choice.dead !== undefined) {
		stage.strike(choice.dead);
		ground.signal(choice.dead, "SIGKILL");
	}
	const scene = { piece, choice, startsBefore, recordBefore };
	return { scene: { ...scene, owedStarts: new Map() }, members };
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

const refusedExitCode = 11;

/** One operation, killed and taken up again until it is at its end, and everything looked at afterwards. */
export async function operatorRound(
	stage: Stage,
	piece: Piece,
	{ blows, end }: Disturbance,
): Promise<void> {
	const { scene } = await prepare(stage, piece);
	let run = await operate(stage.ground, scene.choice.argv, blows[0] ?? null);
	const takeUps: TakeUp[] = [];
	let isOver = false;
	for (const blow of [...blows.slice(1), null]) {
		if (run.struckAt === null) break;
		stage.counts.killed(stage.kind, piece.name, run.struckAt);
		if (run.exitCode !== null) await allowUndone(stage, scene);
		isOver = await wasOver(stage, scene);
		if (isOver) break;
		const isGivenUp = takeUps.at(-1)?.as === "abort";
		const isLast = blow === null || isGivenUp || stage.random.chance(0.5);
		const takeUp = await takeUpAs(stage, scene, isLast ? end : "resume");
		takeUps.push(takeUp);
		run = await operate(stage.ground, takeUp.argv, blow);
	}
	if (run.exitCode === refusedExitCode && (await wasOver(stage, scene))) {
		// The dead one's last word was on its way still.
		isOver = true;
		takeUps.pop();
	}
	if (run.exitCode !== 0 && !isOver) {
		stage.fail(storyOf(takeUps.at(-1)?.as ?? "the operation", run));
		return await clearAway(stage);
	}
	if (isOver) stage.counts.overAlready++;
	else conclude(stage, takeUps);
	const isDone = takeUps.at(-1)?.as !== "abort";
	await judge(stage, scene, { isDone });
	await auditOf(stage, scene, takeUps);
}

/**
 * Whoever ends in good order, paused or terminated, stops a newcomer again that nobody has added yet: it is nobody's. The
 * next one starts it anew.
 */
export async function allowUndone(
	stage: Stage,
	{ choice, startsBefore, owedStarts }: Scene,
): Promise<void> {
	const { voters, learners } = await stage.members();
	const starts = await stage.ground.starts();
	for (const id of Object.keys(choice.starts)) {
		if ([...voters, ...learners].includes(id)) continue;
		if (stage.ground.isRunning(id)) continue;
		const undone = (starts.get(id) ?? 0) - (startsBefore.get(id) ?? 0);
		owedStarts.set(id, undone);
	}
}

/** It was killed after its last word to the journal: nothing is left to take up, and to do it again would be another one. */
async function wasOver(
	stage: Stage,
	{ piece, recordBefore }: Scene,
): Promise<boolean> {
	if (!piece.isJournaled) return false;
	const newest = await newestRecord(stage);
	if (newest === undefined || newest.id === recordBefore) return false;
	const { state } = newest.record;
	return !newest.unfinished && (state === "done" || state === "aborted");
}

/** After a failure: whatever is unfinished is given up, so that the rounds to come stand on their own. */
export async function clearAway(stage: Stage): Promise<void> {
	const { ground } = stage;
	stage.mayDiffer = true;
	await ground.run(["lock", "release", "--yes"]);
	await ground.run(["operation", "abort", "--yes"]);
	await ground.run(["up", "--yes"]);
	stage.mend();
}

/** What must hold after every round. */
export async function judge(
	stage: Stage,
	{ choice, startsBefore, owedStarts }: Scene,
	{ isDone, more = 0 }: { readonly isDone: boolean; readonly more?: number },
): Promise<void> {
	const members = await stage.rest();
	if (choice.dead !== undefined) stage.mend();
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
	for (const fault of (await choice.asserts?.()) ?? []) stage.fail(fault);
	stage.mayDiffer = !isDone;
	if (!isDone) return;
	judgeGoal(stage, choice, { members, more });
	for (const fault of (await choice.faults?.()) ?? []) stage.fail(fault);
	await judgeFile(stage, members);
}

/** The file names the members, and now and then `diff` is asked, too. */
async function judgeFile(
	stage: Stage,
	{ voters, learners }: Members,
): Promise<void> {
	const path = join(stage.ground.directory, "cluster.yaml");
	const { nodes } = parse(await readFile(path, "utf8")) as {
		readonly nodes: readonly { readonly id: string; readonly role?: string }[];
	};
	const wordOf = (id: string, role = "voter") => `${id} ${role}`;
	const named = nodes.map(({ id, role }) => wordOf(id, role));
	const real = [
		...voters.map((id) => wordOf(id)),
		...learners.map((id) => wordOf(id, "learner")),
	];
	if (named.sort().join() !== real.sort().join())
		stage.fail(`the cluster file has ${named}, the cluster ${real}`);
	if (stage.random.chance(3 / 4)) return;
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

/** The journal tells the whole story: every attempt, how it ended, and what it did cost. */
export async function auditOf(
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
