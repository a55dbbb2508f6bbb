import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../sim/random.js";
import { Disks, diskStallRound, stallable } from "./disk-stall.js";
import { nodeDeathRound, survivable } from "./node-death.js";
import type { Blow } from "./operator.js";
import { raceRound, racing } from "./race.js";
import { type Piece, repertoire } from "./repertoire.js";
import { operatorRound, rehearse } from "./round.js";
import { Counts, Stage } from "./stage.js";

export interface RunOptions {
	readonly directory: string;
	readonly portBase: number;
	readonly seed: number;
	/** How often raftctl is killed at least. */
	readonly kills: number;
	readonly kinds: readonly Kind[];
	/** Names of the repertoire; empty for all. */
	readonly operations: readonly string[];
	readonly tell: (line: string) => void;
	/** Ends the run after the round under way. */
	readonly signal?: AbortSignal;
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
const maxRounds = 10_000;
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
	const pieces = chosenPieces(options.operations);
	const problems: string[] = [];
	for (const kind of options.kinds) {
		if (options.signal?.aborted) break;
		const play = { ...options, counts, pieces, ...plays[kind] };
		problems.push(...(await playKind(kind, play)));
	}
	if (options.signal?.aborted) problems.push("invalid: ended before its time");
	if (options.kinds.includes("operator"))
		problems.push(...neverKilled(pieces, counts));
	return { summary: summaryOf(counts, options.seed), problems };
}

/** What dies, stalls or races; the kinds of a run, one after the other, each on a cluster of its own. */
const plays = {
	operator: { voters: 3, play: killOperators },
	node: { voters: 5, play: killNodes },
	disk: { voters: 3, play: stallDisks },
	race: { voters: 3, play: raceOperators },
};
export type Kind = keyof typeof plays;
export const kinds = Object.keys(plays) as readonly Kind[];

/** For each so many kills of operators, one node is killed, one disk stalled, one race run. */
const killsFor = { node: 5, disk: 25, race: 25 };

interface Play extends RunOptions {
	readonly counts: Counts;
	readonly pieces: readonly Piece[];
	readonly voters: number;
	play(stage: Stage, play: Play, disks: Disks | null): Promise<void>;
}

/** Returns what went wrong. */
async function playKind(kind: Kind, play: Play): Promise<string[]> {
	const { counts, voters, tell, portBase } = play;
	const directory = join(play.directory, kind);
	mkdirSync(directory);
	const disks =
		kind === "disk" ? Disks.mount(directory, ["n1", "n2", "n3"]) : null;
	const stage = new Stage({
		...{ directory, voters, counts, portBase, tell },
		...(disks === null ? {} : { data: disks.data }),
		random: new Random(play.seed, kinds.indexOf(kind)),
	});
	try {
		await stage.open();
		await play.play(stage, play, disks);
	} catch (error) {
		stage.fail((error as Error).stack ?? String(error));
	} finally {
		disks?.thaw();
		await stage.close().catch((error) => stage.fail(String(error)));
		stage.ground.killAll();
		disks?.unmount();
	}
	return stage.problems;
}

/** A run in which an operation was never killed on its way proves nothing about it. */
export function neverKilled(
	pieces: readonly Piece[],
	counts: Counts,
): string[] {
	return pieces
		.filter(({ name }) => !counts.operations.has(name))
		.map(({ name }) => `invalid: ${name} was never killed on its way`);
}

async function killOperators(
	stage: Stage,
	{ pieces, kills, signal }: Play,
): Promise<void> {
	const courses = new Map<string, Course>();
	for (let tour = 0; stage.counts.kills < kills || tour === 0; tour++) {
		for (const piece of pieces) {
			if (tour > 0 && stage.counts.kills >= kills) return;
			if (stage.problems.length >= maxProblems || signal?.aborted) return;
			let course = courses.get(piece.name);
			if (course === undefined) {
				course = new Course((await rehearse(stage, piece)).length);
				courses.set(piece.name, course);
			}
			await killOnce(stage, piece, course);
		}
	}
}

async function killNodes(
	stage: Stage,
	{ pieces, kills, counts, signal }: Play,
): Promise<void> {
	await tours(stage, survivable(pieces), {
		isOver: () =>
			counts.nodeKills >= kills / killsFor.node || signal?.aborted === true,
		what: "a node dies",
		play: (piece, at) => nodeDeathRound(stage, piece, at),
	});
}

async function stallDisks(
	stage: Stage,
	{ pieces, kills, counts, signal }: Play,
	disks: Disks | null,
): Promise<void> {
	if (disks === null) {
		stage.tell("no disk is stalled: that takes root, loop devices and ext4");
		return;
	}
	await tours(stage, stallable(pieces), {
		isOver: () =>
			counts.diskStalls >= kills / killsFor.disk || signal?.aborted === true,
		what: "the leader's disk stalls",
		play: (piece, at) => diskStallRound(stage, piece, { at, disks }),
	});
}

async function raceOperators(
	stage: Stage,
	{ pieces, kills, counts, signal }: Play,
): Promise<void> {
	await tours(stage, racing(pieces), {
		isOver: () =>
			counts.races >= kills / killsFor.race || signal?.aborted === true,
		what: "two operators",
		play: (piece, at) => raceRound(stage, piece, at),
	});
}

interface Tours {
	isOver(): boolean;
	readonly what: string;
	/** Returns how many boundaries there were. */
	play(piece: Piece, at: number): Promise<number>;
}

/** One piece after the other, each at all of its boundaries in some order; the last tour is as short as may be. */
async function tours(
	stage: Stage,
	pieces: readonly Piece[],
	{ isOver, what, play }: Tours,
): Promise<void> {
	const { counts, random } = stage;
	const toCome = new Map<string, number[]>();
	for (let round = 0; pieces.length > 0 && !isOver(); round++) {
		if (stage.problems.length >= maxProblems || round > maxRounds) return;
		const piece = pieces[round % pieces.length] as Piece;
		const left = toCome.get(piece.name) ?? [];
		const at = left.pop() ?? 0;
		counts.rounds++;
		stage.round = `round ${counts.rounds}, ${piece.name}, ${what} at ${at}`;
		stage.tell(stage.round);
		const boundaries = await play(piece, at);
		const all = Array.from({ length: boundaries }, (_, ordinal) => ordinal);
		toCome.set(piece.name, left.length > 0 ? left : random.shuffle(all));
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
	/** Of this lap; in another order each time, so that a short run strikes early steps and late ones. */
	#toCome: number[] = [];

	constructor(boundaries: number) {
		this.#boundaries = boundaries;
	}

	next(random: Random) {
		const turn = this.#turn++;
		const length = Math.max(1, this.#boundaries);
		const lap = Math.floor(turn / length);
		const hasSteps = this.#boundaries > 0;
		if (turn % length === 0) {
			const all = Array.from({ length }, (_, ordinal) => ordinal);
			this.#toCome = random.shuffle(all);
		}
		const at = hasSteps ? (this.#toCome.pop() ?? 0) : -1;
		const isWithin = !hasSteps || lap % 3 === 2;
		const blow = (at: number, isExact: boolean): Blow => ({
			at,
			afterMs: isExact ? 0 : random.whole(1, hasSteps ? 400 : 1_500),
			how: random.chance(0.75) ? "kill" : "terminate",
		});
		const more = random.chance(0.5) ? random.whole(1, 2) : 0;
		const others = Array.from({ length: more }, () =>
			hasSteps
				? blow(random.below(this.#boundaries), random.chance(0.5))
				: blow(-1, false),
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
