import { join } from "node:path";
import type { Random } from "../sim/random.js";
import type { Ground } from "./ground.js";

/** Who takes part. */
export interface Members {
	readonly voters: readonly string[];
	readonly learners: readonly string[];
	readonly leader: string;
}

/** One operation of the torture. */
export interface Piece {
	readonly name: string;
	/** How many voters and learners it begins with. */
	readonly needs: { readonly voters: number; readonly learners: number };
	/** Whether the cluster's journal keeps it; the others are simply run again. */
	readonly isJournaled: boolean;
	/** One concrete run of it. */
	choose(members: Members, random: Random, ground: Ground): Choice;
}

export interface Choice {
	readonly argv: readonly string[];
	/** What it comes to when it was done. */
	readonly goal: {
		readonly voters: number;
		readonly learners: number;
		readonly has?: readonly string[];
		readonly hasNot?: readonly string[];
	};
	/** How often it starts which node; a node not named here must not be started at all. */
	readonly starts: Readonly<Record<string, number>>;
	/** The drain is meant to outlive it. */
	readonly leavesDrained?: boolean;
}

const three = { voters: 3, learners: 0 };

/** The nodes that are nobody's yet. */
export function sparesOf({ places }: Ground, members: Members): string[] {
	const taken = new Set([...members.voters, ...members.learners]);
	return places.map(({ id }) => id).filter((id) => !taken.has(id));
}

/** The first of them. */
export function spareOf(ground: Ground, members: Members): string {
	const [spare] = sparesOf(ground, members);
	if (spare === undefined) throw new Error("every node is a member already");
	return spare;
}

export const repertoire: readonly Piece[] = [
	{
		...{ name: "rolling-restart", needs: three, isJournaled: true },
		choose: ({ voters }) => ({
			argv: ["rolling-restart", "--yes"],
			goal: three,
			starts: Object.fromEntries(voters.map((id) => [id, 1])),
		}),
	},
	{
		...{ name: "transfer-leader", needs: three, isJournaled: false },
		choose: () => ({ argv: ["transfer-leader"], goal: three, starts: {} }),
	},
	{
		...{ name: "drain", needs: three, isJournaled: false },
		choose: ({ voters }, random) => ({
			argv: ["drain", random.pick(voters), "--for", "2s"],
			...{ goal: three, starts: {}, leavesDrained: true },
		}),
	},
	{
		...{ name: "snapshot-save", needs: three, isJournaled: false },
		choose: (_, random, { directory }) => ({
			argv: [
				...["snapshot", "save", "--file"],
				join(directory, `${random.whole(0, 2 ** 40)}.snapshot`),
			],
			...{ goal: three, starts: {} },
		}),
	},
	{
		...{ name: "snapshot-schedule", needs: three, isJournaled: false },
		choose: (_, random, { directory }) => ({
			argv: random.chance(0.5)
				? ["snapshot", "schedule", "--off"]
				: [
						...["snapshot", "schedule", "--every", "1m", "--keep", "2"],
						...["--directory", join(directory, "copies")],
					],
			...{ goal: three, starts: {} },
		}),
	},
	{
		...{ name: "add-learner", needs: three, isJournaled: true },
		choose: (members, _, ground) => {
			const spare = spareOf(ground, members);
			return {
				argv: ["add-learner", spare, "--yes"],
				goal: { voters: 3, learners: 1, has: [spare] },
				starts: { [spare]: 1 },
			};
		},
	},
	{
		name: "promote",
		needs: { voters: 3, learners: 1 },
		isJournaled: true,
		choose: ({ learners }, random) => ({
			argv: ["promote", random.pick(learners), "--yes"],
			goal: { voters: 4, learners: 0 },
			starts: {},
		}),
	},
	{
		name: "demote",
		needs: { voters: 4, learners: 0 },
		isJournaled: true,
		choose: ({ voters }, random) => ({
			argv: ["demote", random.pick(voters), "--yes"],
			goal: { voters: 3, learners: 1 },
			starts: {},
		}),
	},
	{
		name: "remove-node",
		needs: { voters: 4, learners: 0 },
		isJournaled: true,
		choose: ({ voters, leader }, random) => {
			const leaving = random.chance(0.4) ? leader : random.pick(voters);
			return {
				argv: ["remove-node", leaving, "--yes"],
				goal: { ...three, hasNot: [leaving] },
				starts: {},
			};
		},
	},
	{
		...{ name: "add-learner --promote", needs: three, isJournaled: true },
		choose: (members, _, ground) => {
			const spare = spareOf(ground, members);
			return {
				argv: ["add-learner", spare, "--promote", "--yes"],
				goal: { voters: 4, learners: 0, has: [spare] },
				starts: { [spare]: 1 },
			};
		},
	},
	{
		...{ name: "replace-node", needs: three, isJournaled: true },
		choose: (members, random, ground) => {
			const spare = spareOf(ground, members);
			const { voters, leader } = members;
			const leaving = random.chance(0.4) ? leader : random.pick(voters);
			return {
				argv: ["replace-node", leaving, spare, "--yes"],
				goal: { ...three, has: [spare], hasNot: [leaving] },
				starts: { [spare]: 1 },
			};
		},
	},
	{
		...{ name: "reset-node", needs: three, isJournaled: true },
		choose: ({ voters, leader }, random) => {
			const target = random.chance(0.4) ? leader : random.pick(voters);
			return {
				argv: ["reset-node", target, "--discard", "--yes"],
				goal: { ...three, has: [target] },
				starts: { [target]: 1 },
			};
		},
	},
	{
		name: "scale up",
		needs: { voters: 3, learners: 2 },
		isJournaled: true,
		choose: () => ({
			argv: ["scale", "--voters", "5", "--yes"],
			goal: { voters: 5, learners: 0 },
			starts: {},
		}),
	},
	{
		name: "scale down",
		needs: { voters: 5, learners: 0 },
		isJournaled: true,
		choose: () => ({
			argv: ["scale", "--voters", "3", "--yes"],
			goal: { voters: 3, learners: 2 },
			starts: {},
		}),
	},
];
