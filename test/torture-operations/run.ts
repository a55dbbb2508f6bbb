import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../sim/random.js";
import { Counts, type Summary, summaryOf } from "./counts.js";
import { Disks, stallable } from "./disk-stall.js";
import { survivable } from "./node-death.js";
import { outageKind } from "./outage.js";
import { outagePieces } from "./outage-pieces.js";
import { playOutages } from "./outage-tour.js";
import { pausable } from "./pause.js";
import type { Piece, Setting } from "./piece.js";
import { claimPorts } from "./ports.js";
import { racing } from "./race.js";
import { repertoire } from "./repertoire.js";
import { Stage } from "./stage.js";
import {
	killNodes,
	killOperators,
	pauseOperators,
	raceOperators,
	stallDisks,
} from "./tours.js";

export interface RunOptions {
	readonly directory: string;
	readonly seed: number;
	/** How often raftctl is killed at least. */
	readonly kills: number;
	readonly kinds: readonly Kind[];
	/** Names of the repertoire; empty for all. */
	readonly operations: readonly string[];
	/** So many clusters at once. */
	readonly parallel: number;
	readonly tell: (line: string) => void;
	/** Ends the run after the rounds under way. */
	readonly signal?: AbortSignal;
}

export interface RunReport {
	readonly summary: Summary;
	readonly problems: readonly string[];
}

/** What there is to be struck, and what it takes to be enough. */
const plays = {
	operator: { voters: 3, play: killOperators },
	node: { voters: 5, play: killNodes },
	disk: { voters: 3, play: stallDisks },
	race: { voters: 3, play: raceOperators },
	pause: { voters: 3, play: pauseOperators },
};
export type Kind = keyof typeof plays | typeof outageKind;
export const kinds: readonly Kind[] = [
	...(Object.keys(plays) as (keyof typeof plays)[]),
	outageKind,
];

/** Of all kinds. */
interface Chosen {
	readonly pieces: readonly Piece[];
	readonly outages: typeof outagePieces;
}

/** Throws for an operation that does not exist. */
export function chosenPieces(names: readonly string[]): Chosen {
	const known = [...repertoire, ...outagePieces].map(({ name }) => name);
	const unknown = names.find((name) => !known.includes(name));
	if (unknown !== undefined)
		throw new Error(`no operation "${unknown}"; there are ${known.join(", ")}`);
	const isChosen = ({ name }: { readonly name: string }) =>
		names.length === 0 || names.includes(name);
	return {
		pieces: repertoire.filter(isChosen),
		outages: outagePieces.filter(isChosen),
	};
}

/** One cluster after the other, and `parallel` of them at once. */
export async function run(options: RunOptions): Promise<RunReport> {
	const counts = new Counts();
	const chosen = chosenPieces(options.operations);
	const problems: string[] = [];
	const jobs = options.kinds.flatMap((kind) =>
		jobsOf(kind, { ...options, ...chosen, counts }),
	);
	const lane = async () => {
		for (;;) {
			const job = options.signal?.aborted ? undefined : jobs.shift();
			if (job === undefined) return;
			problems.push(...(await job()));
		}
	};
	await Promise.all(Array.from({ length: options.parallel }, lane));
	if (options.signal?.aborted) problems.push("invalid: ended before its time");
	problems.push(...neverStruck(options.kinds, chosen, counts));
	return { summary: summaryOf(counts, options.seed), problems };
}

interface Play extends RunOptions, Chosen {
	readonly counts: Counts;
}

type Job = () => Promise<readonly string[]>;

/** Operators die on several clusters at once, as that takes longest; each has a share of the pieces. */
function jobsOf(kind: Kind, play: Play): Job[] {
	const { outages, parallel, pieces } = play;
	const random = (lane: number) =>
		new Random(play.seed, kinds.indexOf(kind) + lane * kinds.length);
	if (kind === outageKind)
		return outages.length === 0
			? []
			: [
					() =>
						playOutages(outages, {
							...play,
							directory: join(play.directory, kind),
							random: random(0),
						}),
				];
	const common = pieces.filter(isCommon);
	const lanes = kind === "operator" ? Math.min(parallel, common.length) : 1;
	const shares = Array.from({ length: lanes }, (_, lane) => ({
		pieces: common.filter((_, at) => at % lanes === lane),
	})).filter((share) => share.pieces.length > 0);
	const loners =
		kind === "operator" ? pieces.filter((one) => !isCommon(one)) : [];
	// Nobody else kills on its cluster: that there were enough elsewhere says nothing of it.
	const killsOfEach = Math.ceil(play.kills / pieces.length);
	const alone = loners.map((one) => ({
		...{ pieces: [one], killsOfEach },
		...(one.setting === undefined ? {} : { setting: one.setting }),
	}));
	// They take the longest.
	return [...alone, ...shares].map((share, lane) => {
		const own = { ...play, ...share, random: random(lane) };
		return () => playOnStage(kind, { ...own, name: `${kind}-${lane}` });
	});
}

function isCommon({ setting }: Piece): boolean {
	return setting === undefined;
}

/** Returns what went wrong. */
async function playOnStage(
	kind: keyof typeof plays,
	play: Play & {
		readonly name: string;
		readonly random: Random;
		readonly killsOfEach?: number;
		readonly setting?: Setting;
	},
): Promise<readonly string[]> {
	const { counts, name, random, tell } = play;
	const { voters } = plays[kind];
	const directory = join(play.directory, name);
	mkdirSync(directory);
	const disks =
		kind === "disk" ? Disks.mount(directory, ["n1", "n2", "n3"]) : null;
	const ports = await claimPorts();
	// A person who ends it twice wants it gone, and no disk left frozen.
	const end = () => {
		stage.ground.killAll();
		disks?.unmount();
	};
	process.once("exit", end);
	const stage = new Stage({
		...{ directory, voters, counts, random, kind, tell },
		...(disks === null ? {} : { data: disks.data }),
		...(play.setting === undefined ? {} : { setting: play.setting }),
		portBase: ports.base,
	});
	try {
		await stage.open();
		await plays[kind].play(stage, play, disks);
	} catch (error) {
		stage.fail((error as Error).stack ?? String(error));
	} finally {
		disks?.thaw();
		await stage.close().catch((error) => stage.fail(String(error)));
		end();
		process.off("exit", end);
		ports.release();
	}
	return stage.problems;
}

/** A run proves nothing of an operation, or of a kind of fault, that it never struck. */
export function neverStruck(
	chosenKinds: readonly Kind[],
	{ pieces, outages }: Chosen,
	counts: Counts,
): string[] {
	const owed = [
		...(chosenKinds.includes("operator") ? pieces : []),
		...(chosenKinds.includes(outageKind) ? outages : []),
	];
	const struck = {
		node: counts.nodeKills,
		disk: counts.diskStalls,
		race: counts.races,
		pause: counts.pauses,
	};
	const common = pieces.filter(isCommon);
	const isOwed = {
		node: survivable(common).length > 0,
		disk: stallable(common).length > 0,
		race: racing(common).length > 0,
		pause: pausable(common).length > 0,
	};
	const idle = (["node", "disk", "race", "pause"] as const).filter(
		(kind) => chosenKinds.includes(kind) && isOwed[kind] && struck[kind] === 0,
	);
	return [
		...owed
			.filter(({ name }) => !counts.operations.has(name))
			.map(({ name }) => `invalid: ${name} was never killed on its way`),
		...idle.map((kind) => `invalid: nothing of the kind ${kind} came about`),
	];
}
