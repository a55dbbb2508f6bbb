import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

interface LeaseRead {
	readonly key: number;
	/** What was committed when the read began: it must see all of it. */
	readonly floor: number;
	/** What clients knew to be written to its key. */
	readonly acknowledged: number;
	/** What must be applied before it is answered; set when the lease was looked at. */
	index: number;
}

/**
 * The clients that read under a leader's lease. The driver looks at the lease by the clock that its loop goes by, and
 * once more just before the answer goes out, by the clock itself (P43).
 */
export class LeaseClients {
	/** How many were answered. */
	served = 0;
	readonly #world: World;
	readonly #random: Random;
	readonly #waiting = new Map<SimNode, LeaseRead[]>();

	constructor(world: World, random: Random) {
		this.#world = world;
		this.#random = random;
	}

	/** Asks a node that may stand still just now: then the question waits, and is handled with whatever else waited. */
	read(node: SimNode): void {
		const { options, oracles, workload } = this.#world;
		const key = this.#random.below(options.workload.keys);
		const read = {
			key,
			floor: oracles.committed.last,
			acknowledged: workload.history.acknowledged[key] as number,
			index: 0,
		};
		node.later(this.#random.exponential(options.network.baseMs), () =>
			this.#begin(node, read),
		);
	}

	#begin(node: SimNode, read: LeaseRead): void {
		const { coverage } = this.#world;
		const status = node.raft?.status();
		if (
			status?.role !== "leader" ||
			node.raft?.holdsLease(node.tickMs) !== true
		) {
			if (status?.role === "leader") coverage.leasesRefused++;
			if (status?.role === "leader" && node.handedOverIn === status.term)
				coverage.leasesVoidAfterTransfer++;
			return;
		}
		read.index = status.commit;
		if (node.machine.applied >= read.index) {
			this.#answer(node, read);
			return;
		}
		const waiting = this.#waiting.get(node) ?? [];
		waiting.push(read);
		this.#waiting.set(node, waiting);
	}

	applied(node: SimNode): void {
		const waiting = this.#waiting.get(node);
		if (waiting === undefined || waiting.length === 0) return;
		const { applied } = node.machine;
		const isDue = (read: LeaseRead) => read.index <= applied;
		this.#waiting.set(
			node,
			waiting.filter((read) => !isDue(read)),
		);
		for (const read of waiting) if (isDue(read)) this.#answer(node, read);
	}

	nodeCrashed(node: SimNode): void {
		this.#waiting.delete(node);
	}

	/** The state is read; whether it may be told is decided when the answer goes out. */
	#answer(node: SimNode, read: LeaseRead): void {
		const { options, coverage, broken } = this.#world;
		const value = node.machine.registers[read.key] as number;
		const delayMs = this.#random.exponential(options.workload.leaseAnswerMs);
		node.later(delayMs, () => {
			const holds =
				broken === "lease-check" ||
				node.raft?.holdsLease(node.clock.nowMs) === true;
			if (!holds) {
				coverage.leasesLost++;
				return;
			}
			this.#serve(node, read, value);
		});
	}

	#serve(node: SimNode, read: LeaseRead, value: number): void {
		demand(
			read.index >= read.floor && value >= read.acknowledged,
			"stale-read",
			() =>
				`${node.id} answers key ${read.key} under its lease at ${read.index} as written at ${value}; before the read began ${read.floor} was committed, and ${read.acknowledged} acknowledged`,
		);
		this.served++;
		this.#world.coverage.leasesAnswered++;
	}
}
