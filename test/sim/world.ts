import {
	bootstrapEntries,
	bootstrapHardState,
} from "../../src/raft/bootstrap.js";
import type { Configuration, Fetch, Message } from "../../src/raft/types.js";
import { type Coverage, emptyCoverage } from "./coverage.js";
import { EventKind, EventQueue, type SimEvent } from "./event-queue.js";
import { Faults } from "./faults.js";
import { answerFetch } from "./fetching.js";
import type { Mutant } from "./mutants.js";
import { Network } from "./network.js";
import { SimNode } from "./node.js";
import { optionsFor, type WorldOptions } from "./options.js";
import { Oracles } from "./oracles/oracles.js";
import { Random } from "./random.js";
import { Trace } from "./trace.js";
import { Workload } from "./workload.js";

/** Everything there is in one run: nodes, network, faults, clients, oracles, and the virtual time that moves them. */
export class World {
	readonly options: WorldOptions;
	readonly mutant: Mutant | null;
	readonly nodes: SimNode[] = [];
	readonly network: Network;
	readonly oracles: Oracles;
	readonly workload: Workload;
	readonly faults: Faults;
	readonly coverage: Coverage = emptyCoverage();
	readonly trace: Trace;
	nowMs = 0;
	steps = 0;
	/** Off once healing began: no new fault, no new client. */
	faulty = true;
	readonly #queue = new EventQueue();

	constructor(
		seed: number,
		settings: {
			readonly mutant: Mutant | null;
			readonly live: ((line: string) => void) | null;
		},
	) {
		const options = optionsFor(seed);
		this.options = options;
		this.mutant = settings.mutant;
		this.trace = new Trace(settings.live);
		const configuration = foundingConfiguration(options);
		for (const id of [...configuration.voters, ...configuration.learners])
			this.nodes.push(new SimNode(this, id, this.nodes.length));
		const { nodes, coverage } = this;
		this.network = new Network({
			options: options.network,
			random: new Random(seed, 3),
			queue: this.#queue,
			nodes,
			coverage,
		});
		this.workload = new Workload(this);
		this.oracles = new Oracles({
			nodes,
			coverage,
			options,
			onCommand: (token, index) =>
				this.workload.history.committed(token, index),
		});
		this.faults = new Faults(this);
		this.workload.begin();
		for (const node of nodes) {
			node.disk.found(bootstrapEntries(configuration), bootstrapHardState);
			node.start();
		}
		this.faults.begin();
	}

	schedule(
		delayMs: number,
		kind: EventKind,
		node: SimNode,
		payload: unknown,
	): void {
		this.#queue.schedule(this.nowMs + delayMs, kind, node, payload);
	}

	call(delayMs: number, act: () => void): void {
		this.#queue.schedule(this.nowMs + delayMs, EventKind.call, null, act);
	}

	/** Runs so many events. */
	run(steps: number): void {
		const end = this.steps + steps;
		while (this.steps < end && this.#next(Number.POSITIVE_INFINITY));
	}

	/** Runs until `done` holds, looked at every `everyMs`; false when it did not within `limitMs`. */
	runUntil(done: () => boolean, everyMs: number, limitMs: number): boolean {
		const endMs = this.nowMs + limitMs;
		while (!done()) {
			if (this.nowMs >= endMs) return false;
			this.runFor(everyMs);
		}
		return true;
	}

	runFor(durationMs: number): void {
		const untilMs = this.nowMs + durationMs;
		while (this.#next(untilMs));
		this.nowMs = untilMs;
	}

	/** Wakes a paused node: what waited comes at once, its late tick before or after the rest (P68). */
	resume(node: SimNode): void {
		const { backlog } = node;
		if (backlog === null) return;
		node.backlog = null;
		const isTick = (event: SimEvent) => event.kind === EventKind.tick;
		const ticks = backlog.filter(isTick);
		const others = backlog.filter((event) => !isTick(event));
		const { pauseTickFirst } = this.options.driver;
		const { epoch } = node;
		if (!pauseTickFirst) node.reportDisk();
		for (const event of pauseTickFirst
			? [...ticks, ...others]
			: [...others, ...ticks]) {
			if (node.epoch === epoch) this.#handle(event);
		}
		if (pauseTickFirst && node.epoch === epoch) node.reportDisk();
	}

	#next(untilMs: number): boolean {
		const event = this.#queue.pop(untilMs);
		if (event === undefined) return false;
		this.nowMs = event.atMs;
		const { node, kind } = event;
		if (node === null) {
			this.steps++;
			(event.payload as () => void)();
		} else if (
			node.raft !== null &&
			(kind === EventKind.deliver || event.epoch === node.epoch)
		) {
			this.steps++;
			if (node.backlog !== null && kind !== EventKind.disk) {
				node.backlog.push(event);
				return true;
			}
			this.#handle(event);
			if (node.wrote !== null) {
				this.faults.wrote(node, node.wrote);
				node.wrote = null;
			}
		}
		this.#queue.release(event);
		return true;
	}

	#handle(event: SimEvent): void {
		const node = event.node as SimNode;
		const { raft } = node;
		if (raft === null) return;
		switch (event.kind) {
			case EventKind.tick:
				node.tickMs = node.clock.nowMs;
				raft.tick(node.tickMs);
				node.settle();
				this.schedule(this.options.tickMs, EventKind.tick, node, null);
				break;
			case EventKind.turn:
				node.turn();
				break;
			case EventKind.deliver:
				this.trace.note(this.nowMs, "deliver", event.payload);
				node.receive(event.payload as Message);
				break;
			case EventKind.disk:
				node.diskEvent();
				break;
			case EventKind.apply:
				node.applier.apply();
				node.settle();
				break;
			case EventKind.fetched:
				answerFetch(this, node, event.payload as Fetch);
				node.settle();
				break;
			case EventKind.unreachable:
				raft.unreachable(event.payload as string);
				node.settle();
				break;
		}
	}
}

function foundingConfiguration({
	voters,
	learners,
}: WorldOptions): Configuration {
	const name = (at: number) => `n${at + 1}`;
	return {
		voters: Array.from({ length: voters }, (_, at) => name(at)),
		outgoing: [],
		learners: Array.from({ length: learners }, (_, at) => name(voters + at)),
		addresses: {},
	};
}
