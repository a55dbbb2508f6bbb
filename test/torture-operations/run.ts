import { join } from "node:path";
import { Random } from "../sim/random.js";
import type { Blow } from "./operator.js";
import { type Piece, repertoire } from "./repertoire.js";
import { operatorRound, rehearse } from "./round.js";
import { Counts, Stage } from "./stage.js";

export interface RunOptions {
	readonly directory: string;
	readonly portBase: number;
	readonly seed: number;
	/** How often raftctl is killed at least. */
	readonly kills: number;
	/** Names of the repertoire; empty for all. */
	readonly operations: readonly string[];
	readonly tell: (line: string) => void;
}

export interface RunReport {
	readonly summary: Summary;
	readonly problems: readonly string[];
}

export interface Summary {
	readonly seed: number;
	readonly operations: number;
	readonly [count: string]: number;
}

const readBackEvery = 10;
const maxProblems = 20;

/** Throws for an operation that does not exist. */
export function chosenPieces(names: readonly string[]): readonly Piece[] {
	for (const name of names)
		if (!repertoire.some((piece) => piece.name === name))
			throw new Error(
				`no operation "${name}"; there are ${repertoire.map((piece) => piece.name).join(", ")}`,
			);
	return names.length === 0
		? repertoire
		: repertoire.filter(({ name }) => names.includes(name));
}

export async function run(options: RunOptions): Promise<RunReport> {
	const counts = new Counts();
	const problems: string[] = [];
	const pieces = chosenPieces(options.operations);
	const stage = new Stage({
		...{ directory: join(options.directory, "operator"), voters: 3, counts },
		...{ portBase: options.portBase, tell: options.tell },
		random: new Random(options.seed),
	});
	try {
		await stage.open();
		await killOperators(stage, pieces, options.kills);
	} catch (error) {
		stage.fail((error as Error).stack ?? String(error));
	} finally {
		await stage.close().catch((error) => stage.fail(String(error)));
		stage.ground.killAll();
	}
	problems.push(...stage.problems, ...neverKilled(pieces, counts));
	return { summary: summaryOf(counts, options.seed), problems };
}

/** A run in which an operation was never killed on its way proves nothing about it. */
function neverKilled(pieces: readonly Piece[], counts: Counts): string[] {
	return pieces
		.filter(({ name }) => !counts.operations.has(name))
		.map(({ name }) => `invalid: ${name} was never killed on its way`);
}

async function killOperators(
	stage: Stage,
	pieces: readonly Piece[],
	kills: number,
): Promise<void> {
	const courses = new Map<string, Course>();
	for (let tour = 0; stage.counts.kills < kills || tour === 0; tour++) {
		for (const piece of pieces) {
			if (tour > 0 && stage.counts.kills >= kills) return;
			if (stage.problems.length >= maxProblems) return;
			let course = courses.get(piece.name);
			if (course === undefined) {
				course = new Course((await rehearse(stage, piece)).length);
				courses.set(piece.name, course);
			}
			await killOnce(stage, piece, course);
		}
	}
}

async function killOnce(
	stage: Stage,
	piece: Piece,
	course: Course,
): Promise<void> {
	const { counts, random } = stage;
	counts.rounds++;
	const disturbance = course.next(random);
	const how = disturbance.blows.map(
		({ at, afterMs, how }) => `${how} at ${at}+${afterMs}`,
	);
	stage.round = `round ${counts.rounds}, ${piece.name}, ${how.join(", ")}, ${disturbance.end}`;
	stage.tell(`${stage.round} (${counts.kills} kills)`);
	await operatorRound(stage, piece, disturbance);
	if (counts.rounds % readBackEvery === 0) await stage.readBack();
}

/** Visits every boundary of one operation, resumed and aborted, killed and terminated; between them, random moments. */
class Course {
	readonly #boundaries: number;
	#turn = 0;

	constructor(boundaries: number) {
		this.#boundaries = boundaries;
	}

	next(random: Random) {
		const turn = this.#turn++;
		const lap = Math.floor(turn / this.#boundaries);
		const at = turn % this.#boundaries;
		const isWithin = lap % 3 === 2;
		const blow = (at: number, isExact: boolean): Blow => ({
			at,
			afterMs: isExact ? 0 : random.whole(1, 400),
			how: random.chance(0.75) ? "kill" : "terminate",
		});
		const more = random.chance(0.5) ? random.whole(1, 2) : 0;
		const others = Array.from({ length: more }, () =>
			blow(random.below(this.#boundaries), random.chance(0.5)),
		);
		const isResumed = (turn + lap) % 2 === 0;
		return {
			blows: [blow(at, !isWithin), ...others],
			end: isResumed ? ("resume" as const) : ("abort" as const),
		};
	}
}

function summaryOf(counts: Counts, seed: number): Summary {
	return {
		seed,
		...counts,
		operations: counts.operations.size,
		boundaries: counts.boundaries.size,
	};
}
