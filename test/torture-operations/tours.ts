import { Course, describe } from "./course.js";
import { type Disks, diskStallRound, stallable } from "./disk-stall.js";
import { nodeDeathRound, survivable } from "./node-death.js";
import { pausable, pauseRound } from "./pause.js";
import type { Piece } from "./piece.js";
import { raceRound, racing } from "./race.js";
import { clearAway, operatorRound, rehearse } from "./round.js";
import type { Stage } from "./stage.js";

const readBackEvery = 10;
const maxRounds = 10_000;
export const maxProblems = 20;

/** For each so many kills of operators: one node is killed, one disk stalled, and so on. */
export const killsFor = { node: 5, disk: 25, race: 25, pause: 25, outage: 8 };

/** What is to be played on one cluster. */
export interface Program {
	readonly pieces: readonly Piece[];
	/** How often raftctl is killed at least, on all clusters. */
	readonly kills: number;
	/** How often at least in each of these; by default once. */
	readonly killsOfEach?: number;
	readonly signal?: AbortSignal;
}

export async function killOperators(
	stage: Stage,
	{ pieces, kills, killsOfEach = 1, signal }: Program,
): Promise<void> {
	const courses = new Map<string, Course>();
	const { counts } = stage;
	const isOver = () =>
		counts.kills >= kills &&
		pieces.every(({ name }) => counts.killsOn(stage.kind, name) >= killsOfEach);
	for (let round = 0; round < maxRounds; round++) {
		if (isOver() || signal?.aborted) return;
		if (stage.problems.length >= maxProblems) return;
		const piece = pieces[round % pieces.length] as Piece;
		let course = courses.get(piece.name);
		if (course === undefined) {
			course = new Course((await rehearse(stage, piece)).length);
			courses.set(piece.name, course);
		}
		await killOnce(stage, piece, course);
		if (round % readBackEvery === readBackEvery - 1) await stage.readBack();
	}
}

async function killOnce(
	stage: Stage,
	piece: Piece,
	course: Course,
): Promise<void> {
	const { counts, random } = stage;
	const disturbance = course.next(random);
	stage.round = `round ${++counts.rounds}, ${piece.name}, ${describe(disturbance)}`;
	stage.tell(`${stage.round} (${counts.kills} kills)`);
	try {
		await operatorRound(stage, piece, disturbance);
	} catch (error) {
		stage.fail((error as Error).stack ?? String(error));
		await clearAway(stage);
	}
}

export async function killNodes(
	stage: Stage,
	{ pieces, kills, signal }: Program,
): Promise<void> {
	await tours(stage, survivable(pieces), {
		isOver: () => stage.counts.nodeKills >= kills / killsFor.node,
		...{ what: "a node dies", signal },
		play: (piece, at) => nodeDeathRound(stage, piece, at),
	});
}

export async function stallDisks(
	stage: Stage,
	{ pieces, kills, signal }: Program,
	disks: Disks | null,
): Promise<void> {
	if (disks === null) {
		stage.tell("no disk is stalled: that takes root, loop devices and ext4");
		return;
	}
	await tours(stage, stallable(pieces), {
		isOver: () => stage.counts.diskStalls >= kills / killsFor.disk,
		...{ what: "the leader's disk stalls", signal },
		play: (piece, at) => diskStallRound(stage, piece, { at, disks }),
	});
}

export async function raceOperators(
	stage: Stage,
	{ pieces, kills, signal }: Program,
): Promise<void> {
	await tours(stage, racing(pieces), {
		isOver: () => stage.counts.races >= kills / killsFor.race,
		...{ what: "two operators", signal },
		play: (piece, at) => raceRound(stage, piece, at),
	});
}

export async function pauseOperators(
	stage: Stage,
	{ pieces, kills, signal }: Program,
): Promise<void> {
	await tours(stage, pausable(pieces), {
		isOver: () => stage.counts.pauses >= kills / killsFor.pause,
		...{ what: "somebody asks to pause", signal },
		play: (piece, at) => pauseRound(stage, piece, at),
	});
}

interface Tours {
	isOver(): boolean;
	readonly what: string;
	readonly signal: AbortSignal | undefined;
	/** Returns how many boundaries there were. */
	play(piece: Piece, at: number): Promise<number>;
}

/** One piece after the other, each at all of its boundaries in some order; the last tour is as short as may be. */
async function tours(
	stage: Stage,
	pieces: readonly Piece[],
	{ isOver, what, signal, play }: Tours,
): Promise<void> {
	const { counts, random } = stage;
	const toCome = new Map<string, number[]>();
	for (let round = 0; pieces.length > 0 && !isOver(); round++) {
		if (stage.problems.length >= maxProblems || round > maxRounds) return;
		if (signal?.aborted) return;
		const piece = pieces[round % pieces.length] as Piece;
		const left = toCome.get(piece.name) ?? [];
		// Each of them has two boundaries at least; how many, the first time tells.
		const at = left.pop() ?? random.below(2);
		stage.round = `round ${++counts.rounds}, ${piece.name}, ${what} at ${at}`;
		stage.tell(stage.round);
		const boundaries = await play(piece, at);
		const all = Array.from({ length: boundaries }, (_, ordinal) => ordinal);
		toCome.set(piece.name, left.length > 0 ? left : random.shuffle(all));
	}
}
