import { join } from "node:path";
import { alarmPieces } from "./alarms.js";
import { certificatePieces } from "./certificates.js";
import { filePieces } from "./files.js";
import { type Piece, spareOf, three } from "./piece.js";
import { releasePieces } from "./releases.js";

const lapsing = { isJournaled: true, lapses: true } as const;

export const repertoire: readonly Piece[] = [
	{
		...{ name: "rolling-restart", needs: three, isJournaled: true },
		choose: ({ voters }) => ({
			argv: ["rolling-restart", "--yes"],
			goal: three,
			starts: Object.fromEntries(voters.map((id) => [id, 1])),
		}),
	},
	...releasePieces,
	...alarmPieces,
	...certificatePieces,
	{
		...{ name: "transfer-leader", needs: three, ...lapsing },
		choose: () => ({ argv: ["transfer-leader"], goal: three, starts: {} }),
	},
	{
		...{ name: "drain", needs: three, ...lapsing },
		choose: ({ voters }, random) => ({
			argv: ["drain", random.pick(voters), "--for", "2s"],
			...{ goal: three, starts: {} },
		}),
	},
	{
		...{ name: "undrain", needs: three, ...lapsing },
		choose: ({ voters }, random) => {
			const node = random.pick(voters);
			return {
				// Longer than anybody waits for rest: that it ends by itself must not pass for undrained.
				before: [["drain", node, "--for", "10m"]],
				...{ argv: ["undrain", node], goal: three, starts: {} },
			};
		},
	},
	{
		...{ name: "up", needs: three, isJournaled: false, isUnlocked: true },
		choose: ({ voters }, random) => {
			const dead = random.pick(voters);
			const starts = { [dead]: 1 };
			return { argv: ["up", "--yes"], goal: three, starts, dead };
		},
	},
	...filePieces,
	{
		...{ name: "snapshot-schedule", needs: three, ...lapsing },
		choose: (_, random, { directory }) => ({
			argv: random.chance(0.5)
				? ["snapshot", "schedule", "--off"]
				: [
						...["snapshot", "schedule", "--every", "1m", "--keep", "2"],
						...["--directory", join(directory, "copies"), "--skip=directory"],
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
