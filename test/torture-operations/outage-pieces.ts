import { join } from "node:path";
import type { World } from "./outage-world.js";

/** An operation on a cluster that serves nobody. */
export interface OutagePiece {
	readonly name: string;
	readonly nodes: number;
	/** The hosts keep its record; the others are simply run again. */
	readonly isJournaled: boolean;
	/** What waits for the lock of whoever was killed. */
	readonly wait: readonly string[];
	/** Brings the world to where it begins. */
	prepare(world: World): Promise<Begun>;
}

/** What is typed, and what must come of it. */
export interface Begun {
	readonly argv: readonly string[];
	/** Who takes part in the end. */
	readonly members: readonly string[];
	/** So many of the writes, from the first on, must be there when it was done. */
	readonly kept: number;
	/** It makes another cluster of this one. */
	readonly makesNew: boolean;
	/** Those that ran when it began. */
	readonly ran: readonly string[];
}

const writes = 30;
const laterWrites = 10;

export const outagePieces: readonly OutagePiece[] = [
	{
		...{ name: "up (all down)", nodes: 3, isJournaled: false, wait: [] },
		async prepare(world) {
			await world.cut();
			return same(world, ["up", "--yes"], []);
		},
	},
	{
		...{ name: "down", nodes: 3, isJournaled: false },
		wait: ["--lock-wait", "30s"],
		prepare: async (world) => same(world, ["down", "--yes"], world.ids),
	},
	{
		...{ name: "snapshot-restore", nodes: 3, isJournaled: true },
		wait: ["--lock-wait", "30s"],
		async prepare(world) {
			const file = join(world.ground.directory, "saved.snapshot");
			await world.ground.succeed(["snapshot", "save", "--file", file]);
			const kept = world.acknowledged.length;
			await writeAll(world, laterWrites);
			await world.ground.succeed(["down", "--yes"]);
			return {
				argv: ["snapshot", "restore", file, "--erase", "torture", "--yes"],
				...{ members: world.ids, kept, makesNew: true, ran: [] },
			};
		},
	},
	{
		...{ name: "recover", nodes: 5, isJournaled: true },
		wait: ["--lock-wait", "30s"],
		async prepare(world) {
			const { ground, random } = world;
			const mixed = random.shuffle([...world.ids]);
			const survivors = world.ids.filter((id) => mixed.indexOf(id) < 2);
			// What they have, nobody may lose.
			for (const id of survivors) await requireAll(world, id);
			for (const id of world.ids)
				if (!survivors.includes(id)) await ground.wipe(id);
			if (random.chance(0.5)) await world.kill(random.pick(survivors));
			return {
				argv: ["recover", "--cluster-name", "torture", "--yes"],
				...{ members: survivors, kept: world.acknowledged.length },
				...{ makesNew: true, ran: world.running() },
			};
		},
	},
];

/** A cluster that applications have written to. */
export async function openWorld(world: World): Promise<void> {
	await world.open();
	await writeAll(world, writes);
}

function same(
	{ ids, acknowledged }: World,
	argv: readonly string[],
	ran: readonly string[],
): Begun {
	const kept = acknowledged.length;
	return { argv, members: ids, kept, makesNew: false, ran };
}

async function writeAll(world: World, count: number): Promise<void> {
	const [failure] = await world.write(count);
	if (failure !== undefined) throw new Error(`before anything: ${failure}`);
}

async function requireAll(world: World, id: string): Promise<void> {
	const [lost] = await world.lostOn(id);
	if (lost !== undefined)
		throw new Error(`before anything: ${id} lacks ${lost}`);
}
