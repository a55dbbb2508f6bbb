import { type Place, pause } from "./ground.js";
import {
	type Configuration,
	isView,
	type Look,
	lookAt,
	newestConfiguration,
} from "./view.js";

/** One look at all nodes, and what was known before it. */
export interface Sample {
	readonly looks: ReadonlyMap<string, Look>;
	/** The highest commit index that anybody had told in the sample before. */
	readonly floor: number;
	/** The last configuration that was not joint. */
	readonly settled: Configuration | null;
	/** Nodes that the torture itself took down or stalled. */
	readonly struck: ReadonlySet<string>;
}

/**
 * Says what is wrong with the quorum, null when nothing is: of each set of voters in force a majority must run, on the
 * disk that the configuration means, and hold all that was committed. Recomputed from the nodes' own words, without
 * any of raftctl's code. Who is silent, or was struck by the torture itself, is counted as if it stood.
 */
export function quorumFault(sample: Sample): string | null {
	const configuration = newestConfiguration([...sample.looks.values()]);
	if (configuration === null) return null;
	for (const voters of votingSets(configuration, sample.settled)) {
		const missing = voters.filter((id) => !stands(id, configuration, sample));
		const needed = Math.floor(voters.length / 2) + 1;
		if (voters.length - missing.length >= needed) continue;
		return `of the voters ${voters.join(", ")} only ${voters.length - missing.length} stand, ${needed} are needed; missing: ${missing.join(", ")}`;
	}
	return null;
}

function votingSets(
	{ members }: Configuration,
	settled: Configuration | null,
): string[][] {
	const next = idsOf(members, "voter");
	const isJoint = members.some(({ role }) => role === "outgoing");
	if (!isJoint || settled === null) return [next];
	return [next, idsOf(settled.members, "voter")];
}

function idsOf(members: Configuration["members"], wanted: string): string[] {
	return members.filter(({ role }) => role === wanted).map(({ id }) => id);
}

function stands(
	id: string,
	{ members }: Configuration,
	{ looks, floor, struck }: Sample,
): boolean {
	if (struck.has(id)) return true;
	const look = looks.get(id);
	if (look === undefined || look === "gone") return false;
	if (look === "silent") return true;
	const expected = members.find((member) => member.id === id)?.incarnation;
	const isOther = expected !== undefined && expected !== "";
	if (isOther && look.incarnation !== expected) return false;
	return look.durable >= floor;
}

const everyMs = 100;
/** A single sample is torn: its nodes answer at different moments. */
const samplesToBelieve = 3;

/** Polls all nodes for as long as the cluster lives. */
export class QuorumWatch {
	/** Each one seen in several samples on end, with the round in which it was. */
	readonly faults: string[] = [];
	samples = 0;
	readonly struck = new Set<string>();
	readonly #round: () => string;
	readonly #places: readonly Place[];
	#isOver = false;
	readonly #loop: Promise<void>;

	constructor(places: readonly Place[], round: () => string) {
		this.#places = places;
		this.#round = round;
		this.#loop = this.#watch();
	}

	async stop(): Promise<void> {
		this.#isOver = true;
		await this.#loop;
	}

	async #watch(): Promise<void> {
		let floor = 0;
		let settled: Configuration | null = null;
		let seen = 0;
		while (!this.#isOver) {
			const looks = new Map(
				await Promise.all(
					this.#places.map(
						async (place) => [place.id, await lookAt(place)] as const,
					),
				),
			);
			this.samples++;
			const struck = this.struck;
			const fault = quorumFault({ looks, floor, settled, struck });
			seen = fault === null ? 0 : seen + 1;
			if (fault !== null && seen === samplesToBelieve)
				this.faults.push(`${this.#round()}: ${fault}`);
			const views = [...looks.values()].filter(isView);
			floor = Math.max(floor, ...views.map(({ commit }) => commit));
			const newest = newestConfiguration(views);
			if (newest?.members.every(({ role }) => role !== "outgoing"))
				settled = newest;
			await pause(everyMs);
		}
	}
}
