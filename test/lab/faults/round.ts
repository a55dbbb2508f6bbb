import { Random } from "../../sim/random.js";
import type { HostName } from "../names.js";
import { lost, settled } from "./claims.js";
import type { Fault, Scene } from "./faults.js";
import { Load } from "./load.js";
import {
	type Begun,
	earlier,
	type Moment,
	momentOf,
	StepWatch,
	whoseHost,
} from "./moment.js";
import type { Operation, Wish } from "./operations.js";
import type { OperatorRun } from "./operator.js";
import { commandLimitMs, type Stage, storyOf } from "./stage.js";
import { type Ending, endingOf, newestOf, takeUp } from "./take-up.js";

export interface Round {
	readonly operation: Operation;
	readonly fault: Fault;
	readonly seed: number;
	/** Of its own among those of one seed. */
	readonly number: number;
	readonly tell: (line: string) => void;
}

/** The names are those of the JSON. */
export interface Outcome {
	readonly operation: string;
	readonly fault: string;
	/** The machine it came to; null where it is not about one of a node. */
	readonly host: HostName | null;
	/** The step that was under way. */
	readonly step: string;
	readonly afterMs: number;
	/** Null: until the operation had ended. */
	readonly heldMs: number | null;
	readonly ended: Ending;
	/** Null: it was killed. */
	readonly exitCode: number | null;
	/** What was typed then, until it was done. */
	readonly typed: readonly string[];
	readonly requests: number;
	readonly failed: number;
	/** Of the writes that were acknowledged. */
	readonly slowestMs: number;
	readonly tookMs: number;
	/** What did not hold. */
	readonly broken: readonly string[];
}

/** How often it is tried to meet an operation that had ended before its fault came. */
const maxAttempts = 4;
const settleLimitMs = 90_000;

/** One operation under load, one fault, and everything looked at afterwards. */
export async function playRound(stage: Stage, round: Round): Promise<Outcome> {
	const { operation, seed, number } = round;
	const random = new Random(seed, number);
	let moment = momentOf(random);
	for (let attempt = 1; attempt <= maxAttempts; attempt++) {
		const wish = await operation.prepare(stage, random);
		const outcome = await attempted(stage, round, { wish, moment });
		await wish.after?.();
		if (outcome !== null) return outcome;
		moment = earlier(moment);
	}
	throw new Error(
		`${operation.name} had ended before the fault came, ${maxAttempts} times`,
	);
}

interface Attempt {
	readonly wish: Wish;
	readonly moment: Moment;
}

/** Null when the operation had ended before the fault came. */
async function attempted(
	stage: Stage,
	round: Round,
	{ wish, moment }: Attempt,
): Promise<Outcome | null> {
	const { operation, fault, number, tell } = round;
	const before = (await newestOf(stage))?.id ?? null;
	const load = await Load.start({
		...{ address: stage.address, name: `${number}`, ...stage.tls },
	});
	try {
		const beganAtMs = performance.now();
		const hit = await disturbed(stage, round, { wish, moment });
		const { exitCode } = hit.run;
		if (hit.begun === null) {
			stage.acknowledged.push(...load.acknowledged);
			if (exitCode === 0) return null;
			throw new Error(`by itself: ${storyOf(wish.argv, hit.run)}`);
		}
		if (exitCode !== 0 && exitCode !== null) tell(storyOf(wish.argv, hit.run));
		const newest = exitCode === 0 ? null : await newestOf(stage);
		const ended = endingOf(exitCode, newest, before);
		const { typed, fault: undone } =
			ended === "done"
				? { typed: [], fault: null }
				: await takeUp(stage, wish.argv, tell);
		const tookMs = Math.round(performance.now() - beganAtMs);
		const unsettled = await settled(stage, settleLimitMs);
		const untold = await load.stop();
		stage.acknowledged.push(...load.acknowledged);
		const { requests, failed, slowestMs, failures } = load;
		for (const failure of failures) tell(`  failed: ${failure}`);
		const isHung = exitCode === null && fault.name !== "operator-killed";
		const broken = [
			...(isHung ? [`it did not end within ${commandLimitMs} ms`] : []),
			...(undone === null ? [] : [undone]),
			...[...unsettled, ...untold, ...(await lost(stage))],
			...(undone === null ? await wish.faults() : []),
			...(fault.isUnseen && failed > 0
				? [`${failed} requests failed: ${failures[0]}`]
				: []),
		];
		const { host, begun } = hit;
		const { afterMs, heldMs } = moment;
		return {
			...{ operation: operation.name, fault: fault.name, step: begun.step },
			...{ host: fault.isOfHost ? host : null, afterMs },
			...{ heldMs: fault.lift ? heldMs : 0, ended, exitCode, typed },
			...{ requests, failed, slowestMs: Math.round(slowestMs) },
			...{ tookMs, broken },
		};
	} finally {
		await load.close();
	}
}

interface Hit {
	/** The step that was under way; null when the operation had ended before. */
	readonly begun: Begun | null;
	readonly host: HostName;
	readonly run: OperatorRun;
}

/** Runs the operation, with the fault at its moment. Resolves when the fault is lifted again. */
async function disturbed(
	stage: Stage,
	{ operation, fault }: Round,
	{ wish, moment }: Attempt,
): Promise<Hit> {
	const members = await stage.members();
	const watch = new StepWatch(moment.share, operation.steps ?? 0);
	const timers: NodeJS.Timeout[] = [];
	const after = (ms: number, act: () => void) =>
		timers.push(setTimeout(act, ms));
	let hit: Omit<Hit, "run"> = { begun: null, host: "h1" };
	let coming: Promise<void> = Promise.resolve();
	let lifting: Promise<void> | null = null;
	const scene = (): Scene => ({
		...{ lab: stage.lab, host: hit.host, killOperator: operator.kill },
		isAhead: moment.isAhead,
	});
	const lift = () => {
		lifting ??= coming.then(() => fault.lift?.(scene()));
		return lifting;
	};
	const strike = (begun: Begun) => {
		if (!operator.isUnderWay()) return;
		const id = whoseHost(moment, members, begun.node);
		hit = { begun, host: stage.hostOf(id) };
		coming = fault.begin(scene());
		// Awaited below; what it says is not to go unheard meanwhile.
		coming.catch(() => undefined);
		if (moment.heldMs !== null)
			after(moment.heldMs, () => void lift().catch(() => undefined));
	};
	const operator = stage.start([...wish.argv, "-o", "ndjson"], (event) => {
		const begun = watch.hear(event);
		if (begun !== null) after(moment.afterMs, () => strike(begun));
	});
	const run = await operator.ended;
	for (const timer of timers) clearTimeout(timer);
	if (hit.begun !== null) await lift();
	return { ...hit, run };
}
