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
	/** Killed, it stands in nobody's way: it may be run again as well as taken up. */
	readonly lapses?: true;
	/** It has no lock to be waited for. */
	readonly isUnlocked?: true;
	/** It needs a cluster of its own, which has this. */
	readonly setting?: Setting;
	/** One concrete run of it. */
	choose(
		members: Members,
		random: Random,
		ground: Ground,
	): Choice | Promise<Choice>;
}

/** What not every cluster has. */
export interface Setting {
	/** The application that its nodes run, as source. */
	readonly app?: string;
	/** Every port speaks TLS, with certificates of the cluster's own authority. */
	readonly tls?: true;
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
	/** Run beforehand, undisturbed. */
	readonly before?: readonly (readonly string[])[];
	/** A node that is dead when it begins. */
	readonly dead?: string;
	/** Clears away what a killed run may leave, as the guide says. Returns what it must not have left. */
	tidy?(): Promise<readonly string[]>;
	/** What is wrong however it ended, done or given up. */
	asserts?(): Promise<readonly string[]>;
	/** What is wrong with what came of it, beside the cluster. */
	faults?(): Promise<readonly string[]>;
}

/** How most of them begin. */
export const three = { voters: 3, learners: 0 };

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
