import {
	EntryKind,
	type ProposalOutcome,
	type Refusal,
	type TransferOutcome,
} from "../../src/raft/types.js";
import { encodeCommand, encodeControl } from "./commands.js";
import type { Coverage } from "./coverage.js";
import { Fate, History } from "./history.js";
import { LeaseClients } from "./lease-clients.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import { ReadClients } from "./read-clients.js";
import { SessionClients } from "./session-clients.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

interface Clients {
	readonly writes: Set<number>;
	readonly transfers: Set<number>;
}

/** The clients: they write, read and ask for transfers anywhere, and hold every answer against what is true. */
export class Workload {
	readonly history: History;
	readonly reads: ReadClients;
	readonly leases: LeaseClients;
	readonly sessions: SessionClients;
	readonly #world: World;
	readonly #random: Random;
	/** Per node: what it owes an answer for. */
	readonly #open = new Map<SimNode, Clients>();
	#tokens = 0;

	constructor(world: World) {
		this.#world = world;
		this.#random = new Random(world.options.seed, 2);
		this.history = new History(world.options.workload.keys);
		this.reads = new ReadClients(world, this.#random);
		this.leases = new LeaseClients(world, this.#random);
		this.sessions = new SessionClients(world, this.#random);
	}

	begin(): void {
		const { options } = this.#world;
		const { proposeMs, readMs, transferMs, leaseMs, sessionMs } =
			options.workload;
		const { knowsLeaderChance, readAnywhereChance } = options.workload;
		this.#repeat(proposeMs, knowsLeaderChance, (node) => this.propose(node));
		this.#repeat(readMs, 1 - readAnywhereChance, (node) =>
			this.reads.read(node),
		);
		this.#repeat(transferMs, knowsLeaderChance, (node) =>
			this.transfer(node, this.#successor()),
		);
		if (options.leases) this.#repeat(leaseMs, 1, () => this.#readLeased());
		if (!this.sessions.isEmpty)
			this.#repeat(sessionMs, knowsLeaderChance, (node) =>
				this.sessions.act(node),
			);
	}

	/** Anybody who leads, or did: also one that stands still, for whom the question will wait. */
	#readLeased(): void {
		const leaders = this.#world.nodes.filter(
			(node) => node.raft !== null && node.seen?.role === "leader",
		);
		if (leaders.length > 0) this.leases.read(this.#random.pick(leaders));
	}

	/** `node` has applied more. */
	applied(node: SimNode): void {
		this.reads.applied(node);
		this.leases.applied(node);
		this.sessions.applied(node);
	}

	/** What `node` has not answered yet, of every kind. */
	pending(node: SimNode): number {
		const { writes, transfers } = this.#of(node);
		return writes.size + this.reads.open(node).size + transfers.size;
	}

	/** Calls `act` now and then with some node that runs. */
	#repeat(
		meanMs: number,
		toLeader: number,
		act: (node: SimNode) => void,
	): void {
		const world = this.#world;
		if (meanMs === 0) return;
		const again = () => {
			if (!world.faulty) return;
			const node = this.choose(toLeader);
			if (node !== null) {
				act(node);
				if (node.raft !== null) node.settle();
			}
			world.call(this.#random.exponential(meanMs), again);
		};
		world.call(this.#random.exponential(meanMs), again);
	}

	/** Some node that runs; mostly one that leads. */
	choose(toLeader: number): SimNode | null {
		const up = this.#world.nodes.filter(
			(node) => node.raft !== null && node.backlog === null,
		);
		if (up.length === 0) return null;
		const leaders = up.filter((node) => node.seen?.role === "leader");
		const knows = this.#random.chance(toLeader);
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
		const isTaken = this.#propose(
			node,
			EntryKind.command,
			commands,
			firstToken,
		);
		return isTaken ? firstToken : null;
	}

	/** Proposes one command of another kind; `ended` is told of its end. */
	submit(
		node: SimNode,
		kind: EntryKind,
		encode: (token: number) => Uint8Array,
		ended: (fate: Fate, index: number) => void,
	): void {
		const token = this.history.open(-1);
		this.history.watch(token, ended);
		this.#propose(node, kind, [encode(token)], token);
	}

	/** A command to the cluster's own state, by a clock that differs from others. */
	control(
		node: SimNode,
		command: Readonly<Record<string, unknown>>,
		ended: (fate: Fate, index: number) => void,
	): void {
		const nowMs = Math.round(this.#world.nowMs * this.#random.between(0.9, 1));
		const encode = (token: number) =>
			encodeControl(token, { ...command, nowMs });
		this.submit(node, EntryKind.control, encode, ended);
	}

	/** False when it was refused. */
	#propose(
		node: SimNode,
		kind: EntryKind,
		commands: readonly Uint8Array[],
		firstToken: number,
	): boolean {
		const { coverage } = this.#world;
		const openBytes = node.raft?.status().uncommittedBytes ?? 0;
		const level = node.machine.writeLevel;
		const refusal =
			node.raft?.propose({ kind, level, commands, firstToken }) ?? null;
		const end = firstToken + commands.length;
		for (let token = firstToken; token < end; token++) {
			if (refusal === null) this.#of(node).writes.add(token);
			else this.history.end(token, Fate.refused, 0);
		}
		if (refusal !== null) countRefusal(coverage, refusal);
		else if (openBytes > 0) this.#withinLimit(node);
		if (refusal === null && level > 1) coverage.entriesOfHigherLevels++;
		return refusal === null;
	}

	/** Only the first batch may exceed the limit on its own (P56). */
	#withinLimit(node: SimNode): void {
		const bytes = node.raft?.status().uncommittedBytes ?? 0;
		const limit = this.#world.options.limits.maxUncommittedBytes;
		demand(
			bytes <= limit,
			"uncommitted-limit",
			() => `${node.id} has ${bytes} uncommitted bytes; the limit is ${limit}`,
		);
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

	/** Null leaves the choice to the leader. */
	#successor(): string | null {
		return this.#random.chance(0.4)
			? null
			: this.#random.pick(this.#world.nodes).id;
	}

	/** Asks `node` to hand leadership over. */
	transfer(node: SimNode, target: string | null): void {
		const token = this.#tokens++;
		this.#of(node).transfers.add(token);
		node.raft?.transferLeadership(target, token);
	}

	transferEnded(node: SimNode, { token, outcome }: TransferOutcome): void {
		const { coverage, oracles } = this.#world;
		demand(
			this.#of(node).transfers.delete(token),
			"one-outcome",
			() => `${node.id} ends transfer ${token}, which it does not owe`,
		);
		if (outcome === "done") {
			coverage.transfersDone++;
			oracles.watch.transferred(node);
		} else if (outcome === "refused") coverage.transfersRefused++;
		else if (outcome === "timed-out") coverage.transfersTimedOut++;
		else coverage.transfersAborted++;
	}

	/** Clients of a node that is gone learn nothing more from it. */
	nodeCrashed(node: SimNode): void {
		const { writes, transfers } = this.#of(node);
		for (const token of writes) this.history.end(token, Fate.crashed, 0);
		writes.clear();
		this.reads.open(node).clear();
		this.leases.nodeCrashed(node);
		this.sessions.nodeCrashed(node);
		transfers.clear();
	}

	#of(node: SimNode): Clients {
		let clients = this.#open.get(node);
		if (clients === undefined) {
			clients = { writes: new Set(), transfers: new Set() };
			this.#open.set(node, clients);
		}
		return clients;
	}
}

function countRefusal(coverage: Coverage, refusal: Refusal): void {
	if (refusal === "not-leader") coverage.refusedNotLeader++;
	else if (refusal === "transferring") coverage.refusedTransferring++;
	else if (refusal === "too-many-uncommitted") coverage.refusedUncommitted++;
	else if (refusal === "disk-stalled") coverage.refusedDiskStalled++;
}
