import type { ReadOutcome } from "../../src/raft/types.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

interface Read {
	readonly token: number;
	readonly key: number;
	/** What was committed when the read began: it must see all of it. */
	readonly floor: number;
	/** What clients knew to be written to its key. */
	readonly acknowledged: number;
	/** The term that the node led when it was asked; 0 when it did not lead. */
	readonly ledTerm: number;
	/** Wait until this is applied; null while the index is not confirmed. */
	index: number | null;
}

/** The clients that read: from leaders, followers, and leaders that are leaders no longer. */
export class ReadClients {
	/** How many reads were answered. */
	served = 0;
	readonly #world: World;
	readonly #random: Random;
	/** Per node: the reads that it owes an answer. */
	readonly #open = new Map<SimNode, Map<number, Read>>();
	#tokens = 0;

	constructor(world: World, random: Random) {
		this.#world = world;
		this.#random = random;
	}

	open(node: SimNode): Map<number, Read> {
		let reads = this.#open.get(node);
		if (reads === undefined) {
			reads = new Map();
			this.#open.set(node, reads);
		}
		return reads;
	}

	read(node: SimNode): void {
		const { options, oracles, workload, mutant } = this.#world;
		const token = this.#tokens++;
		const key = this.#random.below(options.workload.keys);
		const status = node.raft?.status();
		const leads = status?.role === "leader";
		this.open(node).set(token, {
			token,
			key,
			floor: oracles.committed.last,
			acknowledged: workload.history.acknowledged[key] as number,
			ledTerm: leads ? status.term : 0,
			index: null,
		});
		if (leads) oracles.rounds.asked(node, token);
		if (mutant === "read-without-quorum" && leads)
			this.indexed(node, { token, index: status.commit });
		else node.raft?.readIndex(token);
	}

	/** A read's index is confirmed or refused. It must cover everything that was committed before the read began. */
	indexed(node: SimNode, { token, index }: ReadOutcome): void {
		const { coverage, mutant } = this.#world;
		const read = this.open(node).get(token);
		demand(
			read !== undefined && read.index === null,
			"one-outcome",
			() => `${node.id} ends read ${token}, which it does not owe`,
		);
		const { rounds } = this.#world.oracles;
		if (read.ledTerm > 0)
			rounds.ended(node, token, read.ledTerm, index !== null);
		if (index === null) {
			if (this.#rivals()) coverage.readsRefusedToRivals++;
			coverage.readsFailed++;
			this.open(node).delete(token);
			return;
		}
		demand(
			index >= read.floor,
			"stale-read",
			() =>
				`${node.id} reads at ${index}; ${read.floor} was committed before the read began`,
		);
		read.index = index;
		const early = mutant === "answer-before-applied";
		if (early || node.machine.applied >= index) this.#serve(node, read);
		else coverage.readsWaitedForApply++;
	}

	/** Whether two nodes take themselves for the leader just now. */
	#rivals(): boolean {
		const leads = (node: SimNode) =>
			node.raft !== null && node.seen?.role === "leader";
		return this.#world.nodes.filter(leads).length > 1;
	}

	/** `node` has applied more: answer the reads that waited for it. */
	applied(node: SimNode): void {
		for (const read of this.open(node).values()) {
			if (read.index !== null && read.index <= node.machine.applied)
				this.#serve(node, read);
		}
	}

	#serve(node: SimNode, read: Read): void {
		const value = node.machine.registers[read.key] as number;
		demand(
			value >= read.acknowledged,
			"stale-read",
			() =>
				`${node.id} answers key ${read.key} as written at ${value}; ${read.acknowledged} was acknowledged before the read began`,
		);
		this.served++;
		this.#world.coverage.readsConfirmed++;
		this.open(node).delete(read.token);
	}

	/** The node has told all it has to tell: a read asked of a leader does not outlive its leadership (P42). */
	settled(node: SimNode): void {
		for (const read of this.open(node).values()) {
			if (read.ledTerm === 0 || read.index !== null) continue;
			demand(
				node.seen?.role === "leader" && node.seen.term === read.ledTerm,
				"reads-fail-on-step-down",
				() =>
					`read ${read.token} still waits on ${node.id}, which no longer leads term ${read.ledTerm}`,
			);
		}
	}
}
