import { OperatorError, reasonOf } from "../../../src/errors.js";
import { forEach } from "../all-at-once.js";
import type { Lab } from "../lab.js";
import { allHosts } from "../names.js";
import { faults } from "./faults.js";
import { operations } from "./operations.js";
import { type Outcome, playRound } from "./round.js";
import { Stage, type StageOptions } from "./stage.js";
import { lineOf } from "./table.js";

export interface FaultsOptions {
	/** The entry file of raftctl. */
	readonly raftctl: string;
	/** Names; empty for all. */
	readonly operations: readonly string[];
	readonly faults: readonly string[];
	readonly seed: number;
	readonly tell: (line: string) => void;
}

export interface FaultsReport {
	readonly seed: number;
	readonly rounds: readonly Outcome[];
	/** Rounds that could not be played, and why. */
	readonly unplayed: readonly string[];
}

/** Each fault during each operation, on machines that are bare before and after. */
export async function runFaults(
	lab: Lab,
	options: FaultsOptions,
): Promise<FaultsReport> {
	const { seed } = options;
	options.tell(`seed ${seed}`);
	const rounds: Outcome[] = [];
	const unplayed: string[] = [];
	try {
		for (const tls of [false, true])
			await playOn(lab, options, { tls, rounds, unplayed });
		return { seed, rounds, unplayed };
	} finally {
		await forEach(allHosts, (host) => lab.replace(host));
	}
}

/** A cluster serves many rounds, unless something was wrong with it. */
async function playOn(
	lab: Lab,
	{ raftctl, tell, seed, ...chosen }: FaultsOptions,
	{ tls, rounds, unplayed }: Found,
): Promise<void> {
	let stage: Stage | null = null;
	const give = async () => {
		await stage?.close();
		stage = null;
	};
	try {
		for (const pair of pairs(chosen, tls)) {
			try {
				const clocks = pair.fault.isOfClock ?? false;
				if (stage?.clocks !== clocks) await give();
				stage ??= await deployed({ lab, raftctl, tls, clocks }, tell);
				const outcome = await playRound(stage, { ...pair, seed, tell });
				rounds.push(outcome);
				tell(lineOf(outcome));
				for (const broken of outcome.broken) tell(`  broken: ${broken}`);
				if (outcome.broken.length > 0) await give();
			} catch (error) {
				const { operation, fault } = pair;
				const state = error instanceof OperatorError ? error.state : undefined;
				const why = [reasonOf(error), ...(state ? [state] : [])].join("; ");
				const what = `${operation.name} with ${fault.name}: ${why}`;
				tell(what);
				unplayed.push(what);
				await give();
			}
		}
	} finally {
		await give();
	}
}

interface Found {
	readonly tls: boolean;
	readonly rounds: Outcome[];
	readonly unplayed: string[];
}

function deployed(
	options: StageOptions,
	tell: (line: string) => void,
): Promise<Stage> {
	tell(options.tls ? "deploying, with TLS" : "deploying");
	return Stage.deploy(options);
}

type Chosen = Pick<FaultsOptions, "operations" | "faults">;

/** Fault by fault, so that an operation stands where the next one begins: what was upgraded is rolled back next. */
export function pairs(chosen: Chosen, tls: boolean) {
	const isChosen = (names: readonly string[], name: string) =>
		names.length === 0 || names.includes(name);
	return faults.flatMap((fault, at) =>
		operations.flatMap((operation, number) =>
			(operation.tls ?? false) === tls &&
			!(operation.isWithout && fault.isOfHost) &&
			isChosen(chosen.faults, fault.name) &&
			isChosen(chosen.operations, operation.name)
				? [{ fault, operation, number: at * 100 + number }]
				: [],
		),
	);
}
