import { setTimeout as sleep } from "node:timers/promises";
import type { OperatorRun } from "./operator.js";
import { lockWait, type Stage, storyOf } from "./stage.js";

/**
 * done: it came to its end by itself. refused: it said no, and had touched nothing. undone: it failed, and left nothing to
 * take up. left: it failed, or was killed, and is to be resumed.
 */
export type Ending = "done" | "refused" | "undone" | "left";

/** What the journal says of an operation. */
interface Recorded {
	readonly id: string;
	readonly state: string;
	readonly unfinished: boolean;
}

const refusedExitCode = 11;
const journalLimitMs = 60_000;
const takeUpLimitMs = 240_000;
const pauseMs = 1_000;

/** How it ended. `before` is the newest operation of the journal before it. */
export function endingOf(
	exitCode: number | null,
	newest: Recorded | null,
	before: string | null,
): Ending {
	if (exitCode === 0) return "done";
	const own = newest === null || newest.id === before ? null : newest;
	if (own?.unfinished) return "left";
	if (own?.state === "done") return "done";
	return exitCode === refusedExitCode ? "refused" : "undone";
}

/** The newest operation of the journal; null where there is none. Throws when nobody says within the limit. */
export async function newestOf(stage: Stage): Promise<Recorded | null> {
	const argv = ["operation", "list", "--json"];
	const endMs = performance.now() + journalLimitMs;
	for (;;) {
		const run = await stage.run(argv);
		if (run.exitCode === 0) return JSON.parse(run.stdout).operations[0] ?? null;
		if (performance.now() > endMs) throw new Error(storyOf(argv, run));
		await sleep(pauseMs);
	}
}

export interface TakenUp {
	/** What was typed, in order. */
	readonly typed: readonly string[];
	/** Why it is not done, with the last words; null when it is. */
	readonly fault: string | null;
}

/** Types what people would: takes up what was left, or gives the command again, until it is done. */
export async function takeUp(
	stage: Stage,
	argv: readonly string[],
	tell: (line: string) => void,
): Promise<TakenUp> {
	const typed: string[] = [];
	const endMs = performance.now() + takeUpLimitMs;
	for (;;) {
		const isLeft = (await newestOf(stage))?.unfinished === true;
		const resume = ["operation", "resume", "--yes", ...lockWait];
		const words = isLeft ? resume : argv;
		const run: OperatorRun = await stage.run(words);
		typed.push(isLeft ? "resume" : "again");
		if (run.exitCode === 0) return { typed, fault: null };
		tell(storyOf(words, run));
		if (performance.now() > endMs)
			return { typed, fault: `it is not done: ${storyOf(words, run)}` };
		await sleep(pauseMs);
	}
}
