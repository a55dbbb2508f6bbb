import { reasonOf } from "../../src/errors.js";
import { eventually } from "../e2e/local-cluster.js";
import type { Random } from "../sim/random.js";
import type { Counts } from "./counts.js";
import { Ground } from "./ground.js";
import { Load } from "./load.js";
import { type Members, type Piece, type Setting, spareOf } from "./piece.js";
import { QuorumWatch } from "./quorum-watch.js";
import { isAtRest, membersNow, settle } from "./settled.js";
import { lookAt } from "./view.js";

export interface StageOptions {
	readonly directory: string;
	readonly portBase: number;
	readonly voters: number;
	readonly random: Random;
	readonly counts: Counts;
	/** Under which its kills are counted. */
	readonly kind: string;
	readonly tell: (line: string) => void;
	/** Data directories that lie elsewhere, by node. */
	readonly data?: ReadonlyMap<string, string>;
	readonly setting?: Setting;
	/** How long it may take until the cluster is at rest. */
	readonly restLimitMs?: number;
}

/** A shape of the cluster: how many of which. */
export type Shape = Piece["needs"];

const maxCommandsToShape = 12;
const startLimitMs = 120_000;
/** A lock ends after 20 s, a drain after 15 s. */
const longPastLeasesMs = 60_000;

/** A cluster under load and under watch, and what has gone wrong on it so far. */
export class Stage {
	readonly ground: Ground;
	readonly random: Random;
	readonly counts: Counts;
	readonly kind: string;
	readonly problems: string[] = [];
	round = "the start";
	/** Whether the cluster file may say something else than the cluster. */
	mayDiffer = false;
	readonly #tell: (line: string) => void;
	readonly #voters: number;
	readonly #restLimitMs: number;
	#load: Load | null = null;
	#watch: QuorumWatch | null = null;

	constructor(options: StageOptions) {
		const { directory, portBase, data, setting, restLimitMs } = options;
		const elsewhere = data === undefined ? {} : { data };
		this.ground = new Ground(directory, portBase, { ...setting, ...elsewhere });
		this.random = options.random;
		this.counts = options.counts;
		this.#tell = options.tell;
		this.kind = options.kind;
		this.#voters = options.voters;
		this.#restLimitMs = restLimitMs ?? longPastLeasesMs;
	}

	get load(): Load {
		if (this.#load === null) throw new Error("invariant: nothing is up yet");
		return this.#load;
	}

	get watch(): QuorumWatch {
		if (this.#watch === null) throw new Error("invariant: nothing is up yet");
		return this.#watch;
	}

	async open(): Promise<void> {
		const { ground } = this;
		const ids = ground.places.slice(0, this.#voters).map(({ id }) => id);
		await ground.writeClusterFile(ids);
		if (ground.tls !== undefined) await ground.succeed(["certs", "init"]);
		await ground.succeed(["up", "--yes"]);
		this.#load = await Load.start(ground, () => this.round);
		this.#watch = new QuorumWatch(ground.places, () => this.round);
		const isUnderLoad = async () => this.load.acknowledged.length > 10;
		await eventually(isUnderLoad, "load", startLimitMs);
	}

	/** The torture itself takes this node down or stalls it: until it is mended, that explains what fails. */
	strike(id: string): void {
		this.load.isExplained = true;
		this.watch.struck.add(id);
	}

	/** What was struck serves again. */
	mend(): void {
		this.watch.struck.clear();
		this.load.isExplained = false;
	}

	fail(what: string): void {
		this.problems.push(`${this.round}: ${what}`);
		this.#tell(`${this.round}: ${what}`);
	}

	tell(line: string): void {
		this.#tell(line);
		void this.ground.note(line);
	}

	/** Who takes part and who leads now, whatever else goes on. */
	async members(): Promise<Members> {
		return await eventually(
			async () => {
				const looks = await Promise.all(
					this.ground.places.map((place) => lookAt(place)),
				);
				const members = membersNow(looks);
				return members !== null && members.leader !== "" ? members : null;
			},
			"a leader",
			startLimitMs,
		);
	}

	/** Everybody at rest; says what is not. */
	async rest(): Promise<Members> {
		const { unrest, members } = await settle(this.ground, this.#restLimitMs);
		const { drained, held, views } = unrest;
		this.counts.leftDrained += drained.length;
		for (const id of drained) this.fail(`${id} was left drained`);
		for (const what of held) this.fail(`not let go of: ${what}`);
		for (const what of views) this.fail(`views differ: ${what}`);
		if (isAtRest(unrest)) this.#requireNoStrays(members);
		return members;
	}

	#requireNoStrays({ voters, learners }: Members): void {
		const members = new Set([...voters, ...learners]);
		for (const { id } of this.ground.places)
			if (!members.has(id) && this.ground.isRunning(id))
				this.fail(`${id} is no member and runs`);
	}

	/** Makes the cluster the one that an operation begins with, by undisturbed commands. */
	async bringTo(shape: Shape): Promise<Members> {
		await this.#matchFile(await this.rest());
		for (let left = maxCommandsToShape; left > 0; left--) {
			const members = await this.rest();
			const argv = nextTowards(members, shape, this);
			if (argv === null) return members;
			if (argv[0] === "add-learner") await this.ground.wipe(argv[1] ?? "");
			await this.ground.succeed(argv);
		}
		throw new Error(`no way to ${JSON.stringify(shape)}`);
	}

	/** After an abort the file may have what never came; a person would mend it. */
	async #matchFile({ voters, learners }: Members): Promise<void> {
		if (!this.mayDiffer) return;
		this.mayDiffer = false;
		await this.ground.writeClusterFile(voters, learners);
	}

	/** Reads all acknowledged writes back from every member's own copy. */
	async readBack(): Promise<void> {
		const { voters, learners } = await this.rest();
		for (const id of [...voters, ...learners]) {
			const lost = await this.load.lostOn(this.ground.place(id).client);
			this.counts.lostWrites += lost.length;
			if (lost.length > 0)
				this.fail(`${id} lost ${lost.length} writes, first ${lost[0]}`);
		}
	}

	/** Ends load and watch, adds up what they saw, and ends the processes. */
	async close(): Promise<void> {
		this.round = "the end";
		try {
			await this.readBack();
		} catch (error) {
			this.fail(reasonOf(error));
		}
		try {
			for (const what of await this.load.stop()) this.fail(what);
		} finally {
			await this.watch.stop();
			this.counts.acknowledgedWrites += this.load.acknowledged.length;
			this.counts.explainedFailures += this.load.explained;
			this.counts.failedRequests += this.load.failures.length;
			this.counts.quorumAtRisk += this.watch.faults.length;
			this.problems.push(
				...this.load.failures.map((each) => `failed request: ${each}`),
				...this.watch.faults.map((each) => `quorum at risk: ${each}`),
			);
			this.ground.killAll();
		}
	}
}

function nextTowards(
	members: Members,
	wish: Shape,
	{ ground, random }: Stage,
): string[] | null {
	const voters = members.voters.length - wish.voters;
	const learners = members.learners.length - wish.learners;
	const yes = ["--yes"];
	if (voters < 0 && learners > 0)
		return ["promote", random.pick(members.learners), ...yes];
	if (voters > 0 && learners < 0)
		return ["demote", random.pick(members.voters), ...yes];
	if (voters > 0) return ["remove-node", random.pick(members.voters), ...yes];
	if (learners > 0)
		return ["remove-node", random.pick(members.learners), ...yes];
	if (voters === 0 && learners === 0) return null;
	const spare = spareOf(ground, members);
	return ["add-learner", spare, ...(voters < 0 ? ["--promote"] : []), ...yes];
}
