import { majority } from "../../src/raft/quorum.js";
import type { MemberChange } from "../../src/raft/types.js";
import type { Cuts } from "./cuts.js";
import { LastWord } from "./last-word.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** Faults in several acts around one leader, each act when the one before has had its effect. */
export class LeaderPlots {
	readonly #world: World;
	readonly #random: Random;
	readonly #cuts: Cuts;
	/** Stands a node still: it hears nothing meanwhile. */
	readonly #fallAsleep: (node: SimNode, lastsMs: number) => void;
	readonly #lastWord: LastWord;
	/** How long a fault lasts. */
	readonly #lastsMs: () => number;
	/** Between which rates a clock may run. */
	readonly #rates: () => { slowest: number; fastest: number };

	constructor(options: {
		readonly world: World;
		readonly random: Random;
		readonly cuts: Cuts;
		readonly fallAsleep: (node: SimNode, lastsMs: number) => void;
		readonly crash: (node: SimNode) => void;
		readonly lastsMs: () => number;
		readonly rates: () => { slowest: number; fastest: number };
	}) {
		this.#world = options.world;
		this.#random = options.random;
		this.#cuts = options.cuts;
		this.#fallAsleep = options.fallAsleep;
		this.#lastWord = new LastWord(options);
		this.#lastsMs = options.lastsMs;
		this.#rates = options.rates;
	}

	/** A leader alone, and slow to notice, while its clients go on: there will be another one beside it. */
	depose(): void {
		const { options, coverage } = this.#world;
		const leader = this.#leader();
		if (leader === null) return;
		coverage.depositions++;
		const lastsMs = options.electionTimeoutMs * this.#random.between(1, 6);
		if (this.#random.chance(0.7)) this.#driftApart(leader);
		if (this.#random.chance(0.25)) {
			this.#fallAsleep(leader, lastsMs);
			return;
		}
		const cut = () => {
			if (this.#random.chance(0.5)) this.#coup(leader, lastsMs);
			else this.#cuts.apart([leader], lastsMs);
		};
		if (this.#random.chance(0.5)) cut();
		else this.#lateAnswers(leader, cut);
	}

	/** Alone with learners and too few voters, it is asked to go on with them, and without the others (P23). */
	#coup(leader: SimNode, lastsMs: number): void {
		const { configuration } = leader.handed.configuration;
		const voters = configuration.voters.filter((id) => id !== leader.id);
		const few = this.#random.below(majority(voters.length + 1) - 1 || 1);
		const kept = this.#random.shuffle([...voters]).slice(0, few);
		const promoted = configuration.learners.filter(() =>
			this.#random.chance(0.5),
		);
		const mates = this.#world.nodes.filter(
			({ id }) => kept.includes(id) || promoted.includes(id),
		);
		this.#cuts.apart([leader, ...mates], lastsMs);
		const changes = [
			...promoted.map((id) => ({ type: "promote" as const, id })),
			...voters
				.filter((id) => !kept.includes(id))
				.map((id) => ({ type: "demote" as const, id })),
		];
		if (changes.length > 0) this.#change(leader, changes, ["catch-up"]);
	}

	/** The leader's clock is as slow as it may be, and the others lose patience as early as they may (P43). */
	#driftApart(leader: SimNode): void {
		const { slowest, fastest } = this.#rates();
		for (const node of this.#world.nodes)
			node.clock.set(node === leader ? slowest : fastest, 0);
	}

	/**
	 * What it hears is old already, and still comes in when it is alone. It gets old little by little: a leader that
	 * hears nothing for an election timeout gives up.
	 */
	#lateAnswers(leader: SimNode, then: () => void): void {
		const world = this.#world;
		const { electionTimeoutMs } = world.options;
		const endMs =
			world.nowMs + electionTimeoutMs * this.#random.between(0.5, 6);
		const goOn = (lagMs: number) => {
			if (!world.faulty || leader.seen?.role !== "leader") return;
			if (world.nowMs >= endMs) {
				then();
				return;
			}
			const mend = this.#lagOthers(leader, lagMs);
			const untilMs = electionTimeoutMs * this.#random.between(0.3, 1);
			world.call(untilMs, () => {
				mend();
				goOn(lagMs + electionTimeoutMs * this.#random.between(0.1, 0.5));
			});
		};
		goOn(electionTimeoutMs * this.#random.between(0.1, 0.8));
	}

	/** What the others say to `leader` is late; returns what ends that. */
	#lagOthers(leader: SimNode, lagMs: number): () => void {
		const { network, nodes } = this.#world;
		const mends = nodes
			.filter((other) => other !== leader)
			.map((other) => network.lag(other, leader, lagMs));
		return () => {
			for (const mend of mends) mend();
		};
	}

	lastWord(): void {
		const leader = this.#leader();
		if (leader !== null) this.#lastWord.begin(leader);
	}

	/** A leader hands over, and what it asks for arrives late. */
	lateTransfer(): void {
		const { coverage } = this.#world;
		const leader = this.#leader();
		if (leader === null || leader.backlog !== null) return;
		coverage.lateTransfers++;
		const { network, transferTimeoutMs, electionTimeoutMs } =
			this.#world.options;
		// Where messages keep their order nothing overtakes: what is late must be so for a short time, or all is.
		const isBlocked = network.fifo && transferTimeoutMs > electionTimeoutMs / 2;
		if (isBlocked || this.#random.chance(0.3)) this.#unheard(leader);
		else this.#overtaken(leader);
	}

	/** Perhaps it arrives when the leader has given that up, and serves again. It does not hear what comes of it (P37). */
	#unheard(leader: SimNode): void {
		const { options, network, nodes, workload } = this.#world;
		const lagMs = options.electionTimeoutMs * this.#random.scaled(0.1, 1.5);
		const mends = nodes
			.filter((other) => other !== leader)
			.map((other) => network.lag(leader, other, lagMs));
		workload.transfer(leader, null);
		leader.settle();
		this.#cuts.deafen(leader, lagMs + this.#lastsMs());
		this.#world.call(lagMs, () => {
			for (const mend of mends) mend();
		});
	}

	/**
	 * By then the leader has given it up. Whom it asked may be no voter any more (P38); or it wins, and the leader, which
	 * serves again, does not hear of it (P43).
	 */
	#overtaken(leader: SimNode): void {
		const world = this.#world;
		const { electionTimeoutMs, transferTimeoutMs, tickMs } = world.options;
		const id = this.#successorOf(leader);
		const successor = id === null ? undefined : world.processes.get(id);
		if (id === null || successor === undefined) return;
		const isDemoted = this.#random.chance(0.5);
		const waitMs = transferTimeoutMs + tickMs;
		const restTimeouts = this.#random.between(0, isDemoted ? 2 : 0.4);
		const lagMs = waitMs + electionTimeoutMs * restTimeouts;
		const mend = world.network.lagTransfers(leader, successor, lagMs);
		world.workload.transfer(leader, id);
		leader.settle();
		world.call(waitMs, () => {
			mend();
			if (!world.faulty || leader.seen?.role !== "leader") return;
			if (isDemoted) this.#demoteSoon(leader, id);
			else
				this.#cuts.deafen(
					leader,
					electionTimeoutMs * this.#random.between(1, 3),
				);
		});
	}

	#demoteSoon(leader: SimNode, id: string): void {
		const { electionTimeoutMs } = this.#world.options;
		const type = this.#random.chance(0.7) ? "demote" : "remove";
		const soonMs = electionTimeoutMs * this.#random.between(0, 0.4);
		this.#world.call(soonMs, () => this.#change(leader, [{ type, id }]));
	}

	#change(
		leader: SimNode,
		changes: readonly MemberChange[],
		waived: readonly "catch-up"[] = [],
	): void {
		const { faulty, operator } = this.#world;
		if (!faulty || leader.seen?.role !== "leader") return;
		leader.later(0, () =>
			operator.change(leader, { changes, expectedIndex: null, waived }),
		);
	}

	/** The voter that has the most of the log: it is asked at once. */
	#successorOf(leader: SimNode): string | null {
		const { voters } = leader.handed.configuration.configuration;
		let best: { id: string; match: number } | null = null;
		for (const { id, match } of leader.seen?.followers ?? []) {
			if (!voters.includes(id)) continue;
			if (best === null || match > best.match) best = { id, match };
		}
		return best?.id ?? null;
	}

	#leader(): SimNode | null {
		const leads = ({ raft, seen }: SimNode) =>
			raft !== null && seen?.role === "leader";
		return this.#world.nodes.find(leads) ?? null;
	}
}
