import {
	EntryKind,
	type ProposalOutcome,
	type ReadOutcome,
	type Refusal,
	type TransferOutcome,
} from "../../src/raft/types.js";
import type { Coverage } from "./coverage.js";
import { Fate, History } from "./history.js";
import { encodeCommand } from "./machine.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
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

interface Clients {
	readonly writes: Set<number>;
	readonly reads: Map<number, Read>;
	readonly transfers: Set<number>;
}

/** The clients: they write, read and ask for transfers anywhere, and hold every answer against what is true. */
export class Workload {
	readonly history: History;
	readonly #world: World;
	readonly #random: Random;
	/** Per node: what it owes an answer for. */
	readonly #open: Clients[] = [];
	#tokens = 0;
	#readsServed = 0;

	constructor(world: World) {
		this.#world = world;
		this.#random = new Random(world.options.seed, 2);
		this.history = new History(world.options.workload.keys);
	}

	get readsServed(): number {
		return this.#readsServed;
	}

	begin(): void {
		const { proposeMs, readMs, transferMs } = this.#world.options.workload;
		for (const _ of this.#world.nodes)
			this.#open.push({
				writes: new Set(),
				reads: new Map(),
				transfers: new Set(),
			});
		this.#repeat(proposeMs, (node) => this.propose(node));
		this.#repeat(readMs, (node) => this.read(node));
		this.#repeat(transferMs, (node) => this.#transfer(node));
	}

	/** What `node` has not answered yet, of every kind. */
	pending(node: SimNode): number {
		const { writes, reads, transfers } = this.#of(node);
		return writes.size + reads.size + transfers.size;
	}

	#repeat(meanMs: number, act: (node: SimNode) => void): void {
		const world = this.#world;
		if (meanMs === 0) return;
		const again = () => {
			if (!world.faulty) return;
			const node = this.#choose();
			if (node !== null) {
				act(node);
				node.settle();
			}
			world.call(this.#random.exponential(meanMs), again);
		};
		world.call(this.#random.exponential(meanMs), again);
	}

	#choose(): SimNode | null {
		const up = this.#world.nodes.filter(
			(node) => node.raft !== null && node.backlog === null,
		);
		if (up.length === 0) return null;
		const leaders = up.filter((node) => node.seen?.role === "leader");
		const knows = this.#random.chance(
			this.#world.options.workload.knowsLeaderChance,
		);
		return this.#random.pick(leaders.length > 0 && knows ? leaders : up);
	}

	/** Proposes a batch; returns its first token, or null when it was refused. */
	propose(node: SimNode): number | null {
		const { maxBatch, maxPaddingBytes, keys } = this.#world.options.workload;
		const count = this.#random.whole(1, maxBatch);
		const commands: Uint8Array[] = [];
		let firstToken = 0;
		for (let i = 0; i < count; i++) {
			const key = this.#random.below(keys);
			const token = this.history.open(key);
			if (i === 0) firstToken = token;
			commands.push(
				encodeCommand(token, key, this.#random.below(maxPaddingBytes + 1)),
			);
		}
		const refusal =
			node.raft?.propose({
				kind: EntryKind.command,
				level: 1,
				commands,
				firstToken,
			}) ?? null;
		for (let token = firstToken; token < firstToken + count; token++) {
			if (refusal === null) this.#of(node).writes.add(token);
			else this.history.end(token, Fate.refused, 0);
		}
		if (refusal !== null) countRefusal(this.#world.coverage, refusal);
		return refusal === null ? firstToken : null;
	}

	proposalEnded(
		node: SimNode,
		{ token, count, outcome, index }: ProposalOutcome,
	): void {
		const { coverage } = this.#world;
		if (outcome === "committed") coverage.proposalsCommitted++;
		else if (outcome === "lost") coverage.proposalsLost++;
		else coverage.proposalsUnknown++;
		for (let i = 0; i < count; i++) {
			demand(
				this.#of(node).writes.delete(token + i),
				"one-outcome",
				() => `${node.id} ends token ${token + i}, which it does not owe`,
			);
			this.history.end(token + i, Fate[outcome], index + i);
		}
	}

	read(node: SimNode): void {
		const { keys } = this.#world.options.workload;
		const token = this.#tokens++;
		const key = this.#random.below(keys);
		const status = node.raft?.status();
		this.#of(node).reads.set(token, {
			token,
			key,
			floor: this.#world.oracles.committed.last,
			acknowledged: this.history.acknowledged[key] as number,
			ledTerm: status?.role === "leader" ? status.term : 0,
			index: null,
		});
		if (
			this.#world.mutant === "read-without-quorum" &&
			status?.role === "leader"
		)
			this.readIndexed(node, { token, index: status.commit });
		else node.raft?.readIndex(token);
	}

	/** A read's index is confirmed or refused. It must cover everything that was committed before the read began. */
	readIndexed(node: SimNode, { token, index }: ReadOutcome): void {
		const { reads } = this.#of(node);
		const read = reads.get(token);
		demand(
			read !== undefined && read.index === null,
			"one-outcome",
			() => `${node.id} ends read ${token}, which it does not owe`,
		);
		if (index === null) {
			this.#world.coverage.readsFailed++;
			reads.delete(token);
			return;
		}
		const { floor } = read;
		demand(
			index >= floor,
			"stale-read",
			() =>
				`${node.id} reads at ${index}; ${floor} was committed before the read began`,
		);
		read.index = index;
		const early = this.#world.mutant === "answer-before-applied";
		if (early || node.machine.applied >= index) this.#serve(node, read);
		else this.#world.coverage.readsWaitedForApply++;
	}

	/** `node` has applied more: answer the reads that waited for it. */
	applied(node: SimNode): void {
		for (const read of this.#of(node).reads.values()) {
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
		this.#readsServed++;
		this.#world.coverage.readsConfirmed++;
		this.#of(node).reads.delete(read.token);
	}

	#transfer(node: SimNode): void {
		const token = this.#tokens++;
		this.#of(node).transfers.add(token);
		const target = this.#random.chance(0.3)
			? null
			: this.#random.pick(this.#world.nodes).id;
		node.raft?.transferLeadership(target, token);
	}

	transferEnded(node: SimNode, { token, outcome }: TransferOutcome): void {
		const { coverage } = this.#world;
		demand(
			this.#of(node).transfers.delete(token),
			"one-outcome",
			() => `${node.id} ends transfer ${token}, which it does not owe`,
		);
		if (outcome === "done") coverage.transfersDone++;
		else if (outcome === "refused") coverage.transfersRefused++;
		else if (outcome === "timed-out") coverage.transfersTimedOut++;
		else coverage.transfersAborted++;
	}

	/** The node has told all it has to tell: a read asked of a leader does not outlive its leadership (P42). */
	settled(node: SimNode): void {
		for (const read of this.#of(node).reads.values()) {
			if (read.ledTerm === 0 || read.index !== null) continue;
			const { seen } = node;
			demand(
				seen?.role === "leader" && seen.term === read.ledTerm,
				"reads-fail-on-step-down",
				() =>
					`read ${read.token} still waits on ${node.id}, which no longer leads term ${read.ledTerm}`,
			);
		}
	}

	/** Clients of a node that is gone learn nothing more from it. */
	nodeCrashed(node: SimNode): void {
		const { writes, reads, transfers } = this.#of(node);
		for (const token of writes) this.history.end(token, Fate.crashed, 0);
		writes.clear();
		reads.clear();
		transfers.clear();
	}

	#of(node: SimNode): Clients {
		return this.#open[node.position] as Clients;
	}
}

function countRefusal(coverage: Coverage, refusal: Refusal): void {
	if (refusal === "not-leader") coverage.refusedNotLeader++;
	else if (refusal === "transferring") coverage.refusedTransferring++;
	else if (refusal === "too-many-uncommitted") coverage.refusedUncommitted++;
	else if (refusal === "disk-stalled") coverage.refusedDiskStalled++;
}
