import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../e2e/local-cluster.js";
import type { Random } from "../sim/random.js";
import type { Counts } from "./counts.js";
import type { Disturbance } from "./course.js";
import { type OperatorRun, operate } from "./operator.js";
import { type Begun, type OutagePiece, openWorld } from "./outage-pieces.js";
import { World } from "./outage-world.js";
import { storyOf } from "./round.js";
import { settle } from "./settled.js";

export interface OutageOptions {
	readonly directory: string;
	readonly portBase: number;
	readonly random: Random;
	readonly counts: Counts;
	/** Of the round. */
	readonly number: number;
	readonly fail: (what: string) => void;
}

interface Scene extends OutageOptions {
	readonly piece: OutagePiece;
	readonly world: World;
	readonly begun: Begun;
	readonly oldId: string;
	readonly startsBefore: ReadonlyMap<string, number>;
}

/** What was typed to go on with what a killed process left. */
type TakenUp = "resume" | "abort" | "run again";

export const outageKind = "outage";
const refusedExitCode = 11;
const restLimitMs = 60_000;
const laterWrites = 10;

/**
 * One operation that has no quorum to lean on, on a cluster of its own: killed and taken up again until it is at its end.
 * Without blows it is run undisturbed. Returns its boundaries.
 */
export async function outageRound(
	options: OutageOptions,
	piece: OutagePiece,
	{ blows, end }: Disturbance,
): Promise<number> {
	const { counts, portBase, random } = options;
	const directory = join(options.directory, `round-${options.number}`);
	mkdirSync(directory);
	const world = new World(directory, { portBase, nodes: piece.nodes, random });
	let isWell = true;
	const fail = (what: string) => {
		isWell = false;
		options.fail(what);
	};
	try {
		await openWorld(world);
		const oldId = world.clusterId();
		const begun = await piece.prepare(world);
		const startsBefore = await world.ground.starts();
		const made = { ...options, fail, piece, world, begun };
		const scene: Scene = { ...made, oldId, startsBefore };
		const { run, takenUp } = await struck(scene, { blows, end });
		if (run.exitCode !== 0)
			fail(storyOf(takenUp.at(-1) ?? "the operation", run));
		else await judge(scene, takenUp);
		return run.boundaries.length;
	} finally {
		await world.close();
		for (const split of world.splits) fail(split);
		counts.quorumAtRisk += world.splits.length;
		counts.acknowledgedWrites += world.acknowledged.length;
		if (isWell) rmSync(directory, { recursive: true, force: true });
	}
}

async function struck(
	scene: Scene,
	{ blows, end }: Disturbance,
): Promise<{ run: OperatorRun; takenUp: readonly TakenUp[] }> {
	const { begun, counts, piece, random, world } = scene;
	const takenUp: TakenUp[] = [];
	let run = await operate(world.ground, begun.argv, blows[0] ?? null);
	const over = () => {
		counts.overAlready++;
		return { run: { ...run, exitCode: 0 }, takenUp };
	};
	for (const blow of [...blows.slice(1), null]) {
		if (run.struckAt === null) break;
		counts.killed(outageKind, piece.name, run.struckAt);
		if (isOver(scene)) return over();
		const isGivenUp = takenUp.at(-1) === "abort";
		const isLast = blow === null || isGivenUp || random.chance(0.5);
		const as = isLast ? end : "resume";
		const isUnfinished = world.records().at(-1)?.unfinished === true;
		takenUp.push(isUnfinished ? as : "run again");
		const argv = isUnfinished
			? ["operation", as, "--yes"]
			: [...begun.argv, ...piece.wait];
		run = await operate(world.ground, argv, blow);
	}
	if (run.exitCode === refusedExitCode && isOver(scene)) {
		takenUp.pop();
		return over();
	}
	const last = takenUp.at(-1);
	if (last === "resume") counts.resumed++;
	else if (last === "abort") counts.aborted++;
	else if (last === "run again") counts.runAgain++;
	return { run, takenUp };
}

/** It was killed after its last word: to do it again would be another one. */
function isOver({ world }: Scene): boolean {
	const state = world.records().at(-1)?.state;
	return state === "done" || state === "aborted";
}

async function judge(scene: Scene, takenUp: readonly TakenUp[]): Promise<void> {
	const { begun, piece, world } = scene;
	if (piece.isJournaled) judgeRecord(scene, takenUp);
	const isGivenUp = takenUp.at(-1) === "abort";
	const isStarted = world
		.names("restored")
		.some((name) => name.endsWith(".started"));
	const isNew = begun.makesNew && (!isGivenUp || isStarted);
	judgeFiles(scene, isNew);
	if (!isNew && begun.makesNew) return judgeUndone(scene);
	// After an abort of what was started already, that is all there is to type.
	if (isGivenUp || piece.name === "down") {
		if (piece.name === "down" && world.running().length > 0)
			scene.fail(`${world.running()} still run`);
		await world.ground.succeed(["up", "--yes"]);
	}
	await judgeCluster(scene, { kept: begun.kept, startedTwice: [] });
}

/** All is as it was before: the old cluster serves again, or can be recovered again. */
async function judgeUndone(scene: Scene): Promise<void> {
	const { begun, fail, piece, world } = scene;
	const { ran, argv } = begun;
	const running = world.running();
	if (running.join() !== [...ran].sort().join())
		fail(`${ran} ran before, and ${running} do after the abort`);
	if (piece.name !== "recover") await world.ground.succeed(["up", "--yes"]);
	else await world.ground.succeed([...argv, ...piece.wait]);
	// Those that were stopped were started again, and once more in the new cluster.
	const startedTwice = piece.name === "recover" ? ran : [];
	const kept = world.acknowledged.length;
	await judgeCluster(scene, { kept, startedTwice });
}

function judgeRecord(
	{ fail, world }: Scene,
	takenUp: readonly TakenUp[],
): void {
	const record = world.records().at(-1);
	const begunAt = takenUp.lastIndexOf("run again");
	const expected = ["begin", ...takenUp.slice(begunAt + 1)].join();
	const state = takenUp.at(-1) === "abort" ? "aborted" : "done";
	const attempts = record?.attempts.map(({ as }) => as).join();
	const isTold = record?.state === state && attempts === expected;
	if (!isTold || record.unfinished || record.report === null)
		fail(
			`the hosts say ${record?.state}, ${attempts}; it was ${state}, ${expected}`,
		);
}

/** Old data is kept, and nothing half done lies beside it; no lock is left. */
function judgeFiles(
	{ begun, fail, oldId, piece, world }: Scene,
	isNew: boolean,
): void {
	if ((world.clusterId() !== oldId) !== isNew)
		fail(`the cluster file says ${world.clusterId()}; it was ${oldId}`);
	if (world.names().includes("operation.lock")) fail("the hosts are locked");
	for (const id of world.ids) {
		const data = world.names(id).filter((name) => name.startsWith("data"));
		const odd = data.filter(
			(name) => name !== "data" && !(isNew && name.startsWith("data.before-")),
		);
		const isThere = data.includes("data");
		if (odd.length > 0) fail(`beside the data of ${id} lies ${odd}`);
		if (isThere !== begun.members.includes(id))
			fail(`${id} has ${isThere ? "" : "no "}data`);
	}
	const copies = world
		.names("restored")
		.filter((name) => name.endsWith(".snapshot"));
	if (piece.name === "snapshot-restore" && copies.length > 0)
		fail(`copies of the file were left: ${copies}`);
}

/** What must hold of a cluster that serves again. */
async function judgeCluster(
	{ begun, counts, fail, startsBefore, world }: Scene,
	{
		kept,
		startedTwice,
	}: { readonly kept: number; readonly startedTwice: readonly string[] },
): Promise<void> {
	const oldest = world.acknowledged.at(-1)?.index ?? 0;
	const { unrest, members } = await settle(world.ground, restLimitMs);
	counts.leftDrained += unrest.drained.length;
	for (const what of Object.values(unrest).flat()) fail(`no rest: ${what}`);
	if (members.voters.join() !== begun.members.join())
		fail(`${members.voters} take part, not ${begun.members}`);
	for (const [id, count] of await world.ground.starts()) {
		const now = count - (startsBefore.get(id) ?? 0);
		const once = begun.members.includes(id) ? 1 : 0;
		const most = startedTwice.includes(id) ? 2 : once;
		counts.extraRestarts += Math.max(0, now - most);
		if (now > most) fail(`${id} was started ${now} times, not ${most}`);
	}
	const serves = async () => (await world.write(1)).length === 0;
	await eventually(serves, "a write through the balancer");
	const failures = await world.write(laterWrites);
	counts.failedRequests += failures.length;
	for (const failure of failures) fail(`failed request: ${failure}`);
	const newest = world.acknowledged.at(-1)?.index ?? 0;
	if (newest <= oldest) fail(`the index went back from ${oldest} to ${newest}`);
	for (const id of begun.members) {
		const lost = (await world.lostOn(id)).filter((key) => {
			const number = Number(key.slice("w/".length));
			return number < kept || number >= world.acknowledged.length - laterWrites;
		});
		counts.lostWrites += lost.length;
		if (lost.length > 0) fail(`${id} lost ${lost.length} writes: ${lost[0]}`);
	}
}
