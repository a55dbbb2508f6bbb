import { type Blow, type OperatorRun, operate } from "./operator.js";
import type { Piece } from "./piece.js";
import {
	allowUndone,
	auditOf,
	clearAway,
	judge,
	prepare,
	storyOf,
} from "./round.js";
import type { Stage } from "./stage.js";
import { conclude, newestRecord, takeUpAs } from "./take-up.js";

const pausedExitCode = 14;
const refusedExitCode = 11;
const name = "operation-pause";
/** Of a process that has no steps. */
const runMs = 800;

/** Those that somebody can ask to pause. */
export function pausable(pieces: readonly Piece[]): readonly Piece[] {
	return pieces.filter(({ isJournaled }) => isJournaled);
}

/**
 * One operation, which somebody asks to pause from another process at one of its boundaries. Who asks is killed as well,
 * and asks again. It pauses in good order, or was at its end; then it is resumed or given up.
 */
export async function pauseRound(
	stage: Stage,
	piece: Piece,
	at: number,
): Promise<number> {
	const { ground, counts, random } = stage;
	const { scene } = await prepare(stage, piece);
	const asking: Promise<OperatorRun>[] = [];
	const blow = { at, afterMs: 0, how: "hook" as const };
	let run = await operate(ground, scene.choice.argv, blow, () => {
		asking.push(askTwice(stage));
	});
	const { length } = run.boundaries;
	const [asked] = await Promise.all(asking);
	// Who asks too late is told so.
	if (
		asked !== undefined &&
		![0, refusedExitCode].includes(asked.exitCode ?? -1)
	)
		stage.fail(storyOf("the pause", asked));
	const takeUps = [];
	if (run.exitCode === pausedExitCode && asked !== undefined) {
		counts.pauses++;
		const state = (await newestRecord(stage))?.record.state;
		if (state !== "paused")
			stage.fail(`it ended as paused, and the journal says ${state}`);
		await allowUndone(stage, scene);
		const end = random.chance(0.5) ? "resume" : "abort";
		const takeUp = await takeUpAs(stage, scene, end);
		takeUps.push(takeUp);
		run = await operate(ground, takeUp.argv, null);
	}
	if (run.exitCode !== 0) {
		stage.fail(storyOf(takeUps.at(-1)?.as ?? "the operation", run));
		await clearAway(stage);
		return length;
	}
	conclude(stage, takeUps);
	await judge(stage, scene, { isDone: takeUps.at(-1)?.as !== "abort" });
	await auditOf(stage, scene, takeUps);
	return length;
}

/** Killed at some moment, and asked again by another. */
async function askTwice({
	ground,
	counts,
	kind,
	random,
}: Stage): Promise<OperatorRun> {
	const argv = ["operation", "pause"];
	const blow: Blow = {
		...{ at: -1, afterMs: random.whole(1, runMs) },
		how: random.chance(0.75) ? "kill" : "terminate",
	};
	const killed = await operate(ground, argv, blow);
	if (killed.struckAt === null) return killed;
	counts.killed(kind, name, killed.struckAt);
	return operate(ground, argv, null);
}
