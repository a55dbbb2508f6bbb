import { mkdirSync } from "node:fs";
import type { Random } from "../sim/random.js";
import type { Counts } from "./counts.js";
import { Course, describe } from "./course.js";
import { outageKind, outageRound } from "./outage.js";
import type { OutagePiece } from "./outage-pieces.js";
import { claimPorts } from "./ports.js";
import { killsFor, maxProblems } from "./tours.js";

const undisturbed = { blows: [], end: "resume" } as const;
const maxRounds = 1_000;

/** Each round on a cluster of its own. Returns what went wrong. */
export async function playOutages(
	outages: readonly OutagePiece[],
	program: {
		/** Of all outages; there is nothing in it yet. */
		readonly directory: string;
		readonly counts: Counts;
		readonly kills: number;
		readonly random: Random;
		readonly tell: (line: string) => void;
		readonly signal?: AbortSignal;
	},
): Promise<readonly string[]> {
	const { counts, directory, kills, random, signal, tell } = program;
	const problems: string[] = [];
	const courses = new Map<string, Course>();
	const ports = await claimPorts();
	const isOver = () =>
		counts.killsIn(outageKind) >= kills / killsFor.outage &&
		outages.every(({ name }) => counts.operations.has(name));
	mkdirSync(directory);
	try {
		for (let round = 0; round < maxRounds; round++) {
			if (isOver() || signal?.aborted) break;
			if (problems.length >= maxProblems) break;
			const piece = outages[round % outages.length] as OutagePiece;
			const course = courses.get(piece.name);
			const disturbance = course?.next(random) ?? undisturbed;
			const number = ++counts.rounds;
			const name = `round ${number}, ${piece.name}, ${describe(disturbance)}`;
			tell(`${name} (${counts.kills} kills)`);
			const fail = (what: string) => {
				problems.push(`${name}: ${what}`);
				tell(`${name}: ${what}`);
			};
			const made = { directory, portBase: ports.base, random, counts };
			const boundaries = await outageRound(
				{ ...made, number, fail },
				piece,
				disturbance,
			).catch((error: unknown) => {
				fail((error as Error).stack ?? String(error));
				return 0;
			});
			if (course === undefined) courses.set(piece.name, new Course(boundaries));
		}
	} finally {
		ports.release();
	}
	return problems;
}
