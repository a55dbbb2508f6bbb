import {
	bootstrapEntries,
	bootstrapHardState,
} from "../../src/raft/bootstrap.js";
import type {
	Message,
	NodeId,
	RaftOptions,
	Ready,
	SnapshotPoint,
	Status,
} from "../../src/raft/types.js";
import {
	defaults,
	entry,
	heartbeatIntervalMs,
	TinyNode,
} from "../raft/cluster.js";
import { type Durable, entriesOf } from "../raft/tiny-disk.js";
import { Safety } from "./safety.js";
import { changesOf, messageLine, outcomesOf, placesOf } from "./words.js";

export type Filter = (message: Message) => boolean;

/** More rounds of deliveries than any scenario needs. */
const maxRounds = 500;

/** The nodes of one scenario, the messages between them in the script's hand, and what has happened so far. */
export class Stage {
	readonly nodes = new Map<NodeId, TinyNode>();
	readonly down = new Set<NodeId>();
	readonly settings: Partial<Record<keyof RaftOptions, number>> = {};
	/** Sent and not yet delivered, oldest first. */
	wire: Message[] = [];
	/** Taken off the wire for later. */
	held: Message[] = [];
	/** Messages that are lost when they are sent. */
	cut: Filter = () => false;
	/** Every snapshot that was taken, by node and index. */
	readonly snapshots = new Map<string, SnapshotPoint>();
	tokens = 0;
	quiet = false;
	readonly #safety = new Safety();
	readonly #seen = new Map<NodeId, Status>();
	#lines: string[] = [];

	/** Founds a cluster. */
	found(voters: number, learners: number): void {
		const names = Array.from(
			{ length: voters + learners },
			(_, at) => `n${at + 1}`,
		);
		const configuration = {
			...{ voters: names.slice(0, voters), learners: names.slice(voters) },
			...{ outgoing: [], addresses: {} },
		};
		for (const id of names)
			this.add(id, {
				hardState: bootstrapHardState,
				entries: bootstrapEntries(configuration),
			});
	}

	/** A node with this disk; n1 is the first to lose patience, then n2, and so on. */
	add(id: NodeId, disk: Durable): void {
		const dice = (this.nodes.size + 1) / 16;
		const options = { ...defaults, ...this.settings, id, random: () => dice };
		const node = new TinyNode(options, disk, (message) => this.#sent(message));
		node.readsDisk = true;
		node.watch = (ready) => this.#watch(node, ready);
		this.nodes.set(id, node);
		this.#silently(() => node.run());
	}

	/** Gives a node another log: the founding entry, then commands of these terms. */
	giveLog(id: NodeId, terms: readonly number[], term: number): void {
		const { disk } = this.node(id);
		disk.entries.length = 1;
		for (const [at, each] of terms.entries())
			if (at > 0) disk.entries.push(entry(at + 1, each));
		disk.hardState = { ...disk.hardState, term, votedFor: null };
		this.#silently(() => this.node(id).restart());
	}

	node(id: NodeId | undefined): TinyNode {
		const node = this.nodes.get(id ?? "");
		if (node === undefined) throw new Error(`there is no node ${id}`);
		return node;
	}

	/** A node that runs. */
	live(id: NodeId | undefined): TinyNode {
		const node = this.node(id);
		if (this.down.has(node.id)) throw new Error(`${id} is down`);
		return node;
	}

	get running(): TinyNode[] {
		return [...this.nodes.values()].filter(({ id }) => !this.down.has(id));
	}

	start(id: NodeId): void {
		this.down.delete(id);
		this.#seen.delete(id);
		this.node(id).restart();
	}

	/** Time goes by for these nodes, in steps of a heartbeat; nothing is delivered. */
	elapse(nodes: readonly TinyNode[], durationMs: number): void {
		for (let left = durationMs; left > 0; left -= heartbeatIntervalMs) {
			const stepMs = Math.min(left, heartbeatIntervalMs);
			for (const node of nodes) {
				if (this.down.has(node.id)) node.nowMs += stepMs;
				else node.tick(stepMs);
			}
		}
	}

	/** Delivers once what matches; what that sends stays on the wire. */
	deliver(matches: Filter): number {
		const due = this.take(matches);
		for (const message of due) {
			if (this.down.has(message.to)) continue;
			this.nodes.get(message.to)?.step(message);
		}
		return due.length;
	}

	settle(): void {
		for (let rounds = 0; this.deliver(() => true) > 0; rounds++)
			if (rounds > maxRounds) throw new Error("it does not settle");
	}

	take(matches: Filter): Message[] {
		const taken = this.wire.filter(matches);
		this.wire = this.wire.filter((message) => !taken.includes(message));
		return taken;
	}

	say(line: string): void {
		this.#lines.push(line);
	}

	/** What has happened since it was asked last. */
	report(): string[] {
		const lines = this.#lines;
		this.#lines = [];
		return lines;
	}

	#sent(message: Message): void {
		const lost = this.cut(message);
		if (!lost) this.wire.push(message);
		if (!this.quiet)
			this.say(`${messageLine(message)}${lost ? " (lost)" : ""}`);
	}

	#watch(node: TinyNode, ready: Ready): void {
		const status = node.raft.status();
		this.#safety.look(status);
		for (const line of changesOf(this.#seen.get(node.id) ?? null, status))
			this.say(line);
		this.#seen.set(node.id, status);
		this.#watchWrite(node, ready);
		for (const line of outcomesOf(node.id, ready)) this.say(line);
		const { committed } = ready;
		if (committed === null) return;
		for (const each of entriesOf(node.disk, committed.first, committed.last))
			this.#safety.applied(node.id, each);
	}

	#watchWrite({ id, sync, disk }: TinyNode, { write }: Ready): void {
		if (write === null) return;
		const { reset, entries, sequence } = write;
		if (reset !== null)
			this.say(`${id} begins its log anew behind ${reset.index}@${reset.term}`);
		const cutAt = entries[0]?.index ?? Number.POSITIVE_INFINITY;
		if (reset === null && entriesOf(disk, cutAt, cutAt).length > 0)
			this.say(`${id} cuts its log at ${cutAt}`);
		if (!sync && write.sync)
			this.say(`${id} hands write ${sequence} to its disk`);
		if (entries.length > 0 && !this.quiet)
			this.say(`${id} appends ${placesOf(entries)}`);
	}

	#silently(act: () => void): void {
		const before = this.#lines.length;
		act();
		this.#lines.length = before;
	}
}
