import {
	bootstrapEntries,
	bootstrapHardState,
} from "../../src/raft/bootstrap.js";
import type {
	Configuration,
	Entry,
	Fetch,
	Message,
} from "../../src/raft/types.js";
import { type BrokenRule, isOfLeases } from "./broken.js";
import { hasToken, tokenOf } from "./commands.js";
import { type Coverage, emptyCoverage } from "./coverage.js";
import { EventKind, EventQueue, type SimEvent } from "./event-queue.js";
import { Faults } from "./faults.js";
import { answerFetch } from "./fetching.js";
import { foundingConfiguration } from "./founding.js";
import type { Mutant } from "./mutants.js";
import { maxProcesses, Network } from "./network.js";
import { SimNode } from "./node.js";
import { Operator } from "./operator.js";
import { optionsFor, type WorldOptions } from "./options.js";
import { Oracles } from "./oracles/oracles.js";
import { Random } from "./random.js";
import { Strangers } from "./strangers.js";
import { Trace } from "./trace.js";
import { Upgrades } from "./upgrades.js";
import { demand } from "./violation.js";
import { Workload } from "./workload.js";

/** Many times what healing ever took. A bug that keeps nodes busy for ever must end, and end as one. */
const maxHealingSteps = 5_000_000;

/** Everything there is in one run: nodes, network, faults, clients, oracles, and the virtual time that moves them. */
export class World {
	readonly options: WorldOptions;
	readonly mutant: Mutant | null;
	readonly broken: BrokenRule | null;
	/** Those that run, or will again. */
	readonly nodes: SimNode[] = [];
	/** Everybody who ever was a member, with the disk that belongs to the name. */
	readonly byId = new Map<string, SimNode>();
	/** Who answers to which name now. */
	readonly processes = new Map<string, SimNode>();
	readonly network: Network;
	readonly oracles: Oracles;
	readonly workload: Workload;
	readonly operator: Operator;
	readonly strangers: Strangers;
	readonly upgrades: Upgrades;
	readonly faults: Faults;
	readonly coverage: Coverage = emptyCoverage();
	readonly trace: Trace;
	nowMs = 0;
	steps = 0;
	/** Off once healing began: no new fault, no new client. */
	faulty = true;
	/** What is committed up to an index. */
	readonly prefix = (index: number): Entry[] =>
		this.oracles.committed.prefix(index);
	/** How many events there were when healing began. */
	#stormSteps = 0;
	readonly #queue = new EventQueue();
	#positions = 0;

	constructor(
		seed: number,
		settings: {
			readonly mutant: Mutant | null;
			readonly broken: BrokenRule | null;
			readonly live: ((line: string) => void) | null;
		},
	) {
		const drawn = optionsFor(seed);
		// Where leases are to go wrong, there must be some.
		const options = isOfLeases(settings.broken)
			? { ...drawn, leases: true }
			: drawn;
		this.options = options;
		this.mutant = settings.mutant;
		this.broken = settings.broken;
		this.trace = new Trace(settings.live);
		this.strangers = new Strangers(this);
		this.upgrades = new Upgrades(this);
		const founding = foundingConfiguration(options, this.strangers);
		const { nodes, byId, processes, coverage } = this;
		this.network = new Network({
			options: options.network,
			random: new Random(seed, 3),
			queue: this.#queue,
			...{ processes, coverage },
			checksIncarnations: settings.broken !== "incarnation",
		});
		this.workload = new Workload(this);
		this.operator = new Operator(this);
		this.oracles = new Oracles({
			...{ nodes, byId, founding, coverage, options },
			nowMs: () => this.nowMs,
			onCommitted: (entry) => {
				if (hasToken(entry))
					this.workload.history.committed(tokenOf(entry), entry.index);
			},
		});
		this.faults = new Faults(this);
		for (const id of [...founding.voters, ...founding.learners])
			this.#found(id, founding);
		this.workload.begin();
		this.operator.begin();
		this.upgrades.begin();
		for (const node of nodes) node.start();
		this.faults.begin();
	}

	#found(id: string, founding: Configuration): void {
		const node = this.addNode(id);
		node?.disk.found(bootstrapEntries(founding), bootstrapHardState);
	}

	/** Another node with an empty disk, not started yet; null when there were enough. */
	addNode(id: string): SimNode | null {
		const node = this.#process(id);
		if (node === null) return null;
		this.nodes.push(node);
		this.byId.set(id, node);
		return node;
	}

	/** Another process under a name whose disk is lost. It is no node of the cluster's. */
	replaceProcess({ id }: SimNode): SimNode | null {
		const node = this.#process(id);
		if (node !== null) node.forgetful = true;
		return node;
	}

	#process(id: string): SimNode | null {
		if (this.#positions === maxProcesses) return null;
		const node = new SimNode(this, id, this.#positions++);
		this.processes.set(id, node);
		return node;
	}

	/** It never runs again. What it said and stored stays known. */
	removeNode(node: SimNode): void {
		const at = this.nodes.indexOf(node);
		if (at >= 0) this.nodes.splice(at, 1);
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
		this.#stormSteps = this.steps;
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
		const lastStep = this.#stormSteps + maxHealingSteps;
		while (this.steps < lastStep && this.#next(untilMs));
		demand(
			this.steps < lastStep,
			"flood",
			() => `healing has taken ${maxHealingSteps} events and is not done`,
		);
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
		if (!pauseTickFirst) node.driver.reportDisk();
		for (const event of pauseTickFirst
			? [...ticks, ...others]
			: [...others, ...ticks]) {
			if (node.epoch === epoch) this.#handle(event);
		}
		if (pauseTickFirst && node.epoch === epoch) node.driver.reportDisk();
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
				if (kind === EventKind.deliver && node.deaf) this.coverage.dropped++;
				else node.backlog.push(event);
				return true;
			}
			this.#handle(event);
			if (node.driver.wrote !== null) {
				const { write, isOver } = node.driver.wrote;
				this.faults.wrote(node, write, isOver);
				node.driver.wrote = null;
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
				node.tick();
				node.settle();
				this.schedule(this.options.tickMs, EventKind.tick, node, null);
				break;
			case EventKind.turn:
				node.driver.turn();
				break;
			case EventKind.deliver:
				this.trace.note(this.nowMs, "deliver", event.payload);
				node.receive(event.payload as Message);
				break;
			case EventKind.disk:
				node.driver.diskEvent();
				break;
			case EventKind.work:
				(event.payload as () => void)();
				if (node.raft !== null) node.settle();
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
