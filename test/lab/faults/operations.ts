import { join } from "node:path";
import type { Random } from "../../sim/random.js";
import { carryDisk, newcomer } from "./disks.js";
import { lockWait, releases, type Stage } from "./stage.js";

/** An operation that is to be disturbed. */
export interface Operation {
	readonly name: string;
	/** Of a cluster that speaks TLS. */
	readonly tls?: true;
	/** A member's machine is off meanwhile: one more would be a majority. */
	readonly isWithout?: true;
	/** How many steps it has, where it shows no plan. */
	readonly steps?: number;
	/** Brings the cluster to where it can begin. */
	readonly prepare: (stage: Stage, random: Random) => Promise<Wish>;
}

export interface Wish {
	readonly argv: readonly string[];
	/** What is not as it is to be once it is done. */
	readonly faults: () => Promise<readonly string[]>;
	/** Puts back what `prepare` took away. */
	readonly after?: () => Promise<void>;
}

export const operations: readonly Operation[] = [
	{ name: "rolling-restart", prepare: rolling },
	{ name: "upgrade", prepare: upgrading },
	{ name: "upgrade-rollback", prepare: goingBack },
	{ name: "replace-node", prepare: replacing },
	{ name: "replace-dead-node", isWithout: true, prepare: replacingDead },
	{ name: "snapshot-save", steps: 2, prepare: saving },
	{ name: "certs-rotate", tls: true, prepare: rotating },
	{ name: "move-node", isWithout: true, prepare: moving },
];

const yes = ["--yes", ...lockWait];

async function rolling(stage: Stage): Promise<Wish> {
	const runs = async () => {
		const members = await stage.members();
		return await Promise.all(members.map((id) => stage.invocationOf(id)));
	};
	const before = await runs();
	return {
		argv: ["rolling-restart", ...yes],
		faults: async () =>
			(await runs())
				.filter((run) => before.includes(run))
				.map((run) => `a node was not restarted: ${run}`),
	};
}

async function upgrading(stage: Stage): Promise<Wish> {
	const { first, next } = releases;
	const isBefore = (await faultsOfRelease(stage, first)).length === 0;
	const back = ["upgrade", "rollback", "--to", first, ...yes];
	if (!isBefore) await stage.succeed(back);
	return {
		argv: upgrade(stage),
		faults: () => faultsOfRelease(stage, next),
	};
}

async function goingBack(stage: Stage): Promise<Wish> {
	const { first, next } = releases;
	const isThere = (await faultsOfRelease(stage, next)).length === 0;
	if (!isThere) await stage.succeed(upgrade(stage));
	return {
		argv: ["upgrade", "rollback", ...yes],
		faults: () => faultsOfRelease(stage, first),
	};
}

function upgrade(stage: Stage): readonly string[] {
	const archive = stage.archiveOf(releases.next);
	return ["upgrade", "--to", archive, "--soak", "1s", ...yes];
}

async function faultsOfRelease(
	stage: Stage,
	wanted: string,
): Promise<readonly string[]> {
	const { nodes } = await stage.json(["upgrade", "status"]);
	return (nodes as { node: string; release: string | null }[])
		.filter(({ release }) => release !== wanted)
		.map(({ node, release }) => `${node} runs ${release}, not ${wanted}`);
}

/** Ten minutes by default. */
const catchUp = "60s";

async function replacing(stage: Stage, random: Random): Promise<Wish> {
	const leaving = random.pick([...(await stage.members())].sort());
	return replace(stage, leaving, await newcomer(stage));
}

/** Its machine is gone, and what it ran with it. */
async function replacingDead(stage: Stage, random: Random): Promise<Wish> {
	const leaving = random.pick([...(await stage.members())].sort());
	const coming = await newcomer(stage);
	const host = stage.hostOf(leaving);
	await stage.lab.powerOff(host);
	await stage.awaitDown(leaving);
	return {
		...replace(stage, leaving, coming),
		after: () => stage.lab.boot(host),
	};
}

function replace(stage: Stage, leaving: string, coming: string): Wish {
	return {
		argv: ["replace-node", leaving, coming, "--timeout", catchUp, ...yes],
		faults: async () => {
			const members = await stage.members();
			const isDone = members.includes(coming) && !members.includes(leaving);
			return isDone ? [] : [`the members are ${members.join(", ")}`];
		},
	};
}

async function moving(stage: Stage, random: Random): Promise<Wish> {
	const id = random.pick([...(await stage.members())].sort());
	await carryDisk(stage, id);
	await stage.awaitDown(id);
	return {
		argv: ["move-node", id, ...yes],
		faults: async () => {
			const isThere = (await stage.invocationOf(id)) !== "";
			return isThere ? [] : [`${id} does not run where its disk is`];
		},
	};
}

let saved = 0;

async function saving(stage: Stage): Promise<Wish> {
	const file = join(stage.directory, `${++saved}.snapshot`);
	return {
		argv: ["snapshot", "save", "--file", file],
		faults: async () => {
			const { exitCode, stderr } = await stage.run([
				...["snapshot", "verify", file],
			]);
			return exitCode === 0 ? [] : [`the snapshot is not whole: ${stderr}`];
		},
	};
}

async function rotating(stage: Stage): Promise<Wish> {
	const before = stage.tls.tls?.().ca;
	return {
		argv: ["certs", "rotate", ...yes],
		faults: async () => {
			const { phase, problems } = await stage.json(["certs", "status"]);
			return [
				...problems,
				...(phase === "steady" ? [] : [`it is in the phase ${phase}`]),
				...(stage.tls.tls?.().ca === before
					? ["the authority is the same"]
					: []),
			];
		},
	};
}
