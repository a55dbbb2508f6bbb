import { type OperatorRun, operate } from "./operator.js";
import type { Piece } from "./piece.js";
import { clearAway, judge, prepare, storyOf } from "./round.js";
import type { Stage } from "./stage.js";

const lockedExitCode = 13;

/** It is over before anybody could meet it. */
const tooShort = new Set(["snapshot-schedule"]);

export function racing(pieces: readonly Piece[]): readonly Piece[] {
	return pieces.filter(
		({ name, isUnlocked }) => isUnlocked !== true && !tooShort.has(name),
	);
}

/**
 * Two operators begin the same at about the same time. One acts. The other is refused with the exit code of a lock that
 * is held, and told by whom; only if the first had ended already may it find nothing left to do, or do it again.
 */
export async function raceRound(
	stage: Stage,
	piece: Piece,
	at: number,
): Promise<number> {
	const { ground, counts } = stage;
	const { scene } = await prepare(stage, piece);
	const { argv } = scene.choice;
	let second: Promise<OperatorRun> | null = null;
	let lastPid = 0;
	const tracked = async (running: Promise<OperatorRun>) => {
		const run = await running;
		lastPid = run.pid;
		return run;
	};
	const rival = () => {
		second = tracked(operate(ground, argv, null));
	};
	// Both at once, or the second while the first is at one of its steps.
	if (at === 0) rival();
	const blow = { at: at - 1, afterMs: 0, how: "hook" as const };
	const one = await tracked(
		operate(ground, argv, at === 0 ? null : blow, rival),
	);
	// Both at once counts as one more.
	const moments = one.boundaries.length + 1;
	if (second === null) {
		await endUnraced(stage, scene, one);
		return moments;
	}
	const other: OperatorRun = await second;
	const winners = [one, other].filter(({ exitCode }) => exitCode === 0);
	const [winner] = winners;
	if (winner === undefined) {
		stage.fail(
			`nobody acted\n${storyOf("one", one)}\n${storyOf("other", other)}`,
		);
		await clearAway(stage);
		return moments;
	}
	counts.races++;
	const loser = winner === one ? other : one;
	const isNamed = `${loser.said}${loser.stderr}`.includes(`:${winner.pid} `);
	// Whom the winner's end came before may have found something else than a lock.
	const isLate = lastPid === loser.pid;
	if (winners.length > 1) stage.tell("both acted, one after the other");
	else if (!isLate && (loser.exitCode !== lockedExitCode || !isNamed))
		stage.fail(storyOf("the second operator", loser));
	else if (loser.boundaries.length > 0)
		stage.fail(storyOf("the second operator did something and", loser));
	if (winners.length > 1)
		for (const id of Object.keys(scene.choice.starts))
			scene.owedStarts.set(id, 1);
	await judge(stage, scene, { isDone: true });
	return moments;
}

async function endUnraced(
	stage: Stage,
	scene: Parameters<typeof judge>[1],
	run: OperatorRun,
): Promise<void> {
	if (run.exitCode !== 0) stage.fail(storyOf("the operation", run));
	await judge(stage, scene, { isDone: run.exitCode === 0 });
}
