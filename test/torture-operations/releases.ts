import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../sim/random.js";
import { application } from "./app.js";
import type { Ground } from "./ground.js";
import { type Choice, type Piece, three } from "./piece.js";

/** The commands that change which release the nodes run, and what the cluster writes. */
export const releasePieces: readonly Piece[] = [
	{
		...{ name: "upgrade", needs: three, isJournaled: true },
		choose({ voters }, random, ground) {
			const { build, to } = newRelease(ground, random);
			return {
				before: [build],
				argv: ["upgrade", ...to],
				...{ goal: three, starts: onceEach(voters) },
				asserts: () => linkFaults(ground),
			};
		},
	},
	{
		...{ name: "upgrade rollback", needs: three, isJournaled: true },
		async choose({ voters }, random, ground) {
			const { build, to } = newRelease(ground, random);
			const before = await statusOf(ground);
			return {
				before: [build, ["upgrade", ...to]],
				argv: ["upgrade", "rollback", "--yes"],
				...{ goal: three, starts: onceEach(voters) },
				asserts: () => linkFaults(ground),
				faults: () => backFaults(ground, before),
			};
		},
	},
	{
		...{ name: "upgrade finalize", needs: three },
		...{ isJournaled: true, lapses: true },
		setting: { app: application({}) },
		choose: (_, random, ground) => finalizing(ground, random),
	},
];

const versions = "1.0.";

/** One that nobody has: each node has to be restarted. */
function newRelease(ground: Ground, random: Random, app?: string) {
	const version = `${versions}${random.whole(0, 1_000_000_000)}`;
	const archive = join(ground.directory, `${version}.tgz`);
	const build = ["release", "build", "--version", version, "--out", archive];
	return {
		build: app === undefined ? build : [...build, "--app", app],
		to: ["--to", archive, "--soak", "0ms", "--yes"],
	};
}

function onceEach(voters: readonly string[]): Choice["starts"] {
	return Object.fromEntries(voters.map((id) => [id, 1]));
}

interface UpgradeStatus {
	readonly writeLevel: number | null;
	readonly nodes: readonly {
		readonly node: string;
		readonly release: string | null;
		readonly next: string | null;
	}[];
}

function statusOf(ground: Ground): Promise<UpgradeStatus> {
	return ground.json(["upgrade", "status"]);
}

/** However it ended: whatever restarts a node must not change what it runs. */
async function linkFaults(ground: Ground): Promise<string[]> {
	const { nodes } = await statusOf(ground);
	return nodes
		.filter(({ release, next }) =>
			next === null
				? release === null || release.startsWith(versions)
				: release !== next,
		)
		.map(
			({ node, release, next }) =>
				`${node} runs ${release}, and starts with ${next ?? "the programs of raftctl"} next`,
		);
}

/** Of each node what it ran, which need not be the same on all. */
async function backFaults(
	ground: Ground,
	before: UpgradeStatus,
): Promise<string[]> {
	const { nodes } = await statusOf(ground);
	return nodes.flatMap(({ node, release }) => {
		const former = before.nodes.find((one) => one.node === node)?.release;
		return former === release ? [] : [`${node} runs ${release}, not ${former}`];
	});
}

/** Each time a level further: there is no way back. */
async function finalizing(ground: Ground, random: Random): Promise<Choice> {
	const level = ((await statusOf(ground)).writeLevel ?? 0) + 1;
	const app = join(ground.directory, `level-${level}.js`);
	await writeFile(app, application({ level }));
	const { build, to } = newRelease(ground, random, app);
	return {
		before: [build, ["upgrade", ...to]],
		argv: ["upgrade", "finalize", "--yes"],
		...{ goal: three, starts: {} },
		asserts: () => linkFaults(ground),
		async faults() {
			const { writeLevel } = await statusOf(ground);
			return writeLevel === level
				? []
				: [`the cluster writes level ${writeLevel}, not ${level}`];
		},
	};
}
