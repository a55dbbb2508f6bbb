import { encodeSessionCommand } from "../../machines/sessions.js";
import { type ConfigurationChange, EntryKind } from "../../raft/types.js";
import type { SnapshotStore } from "../../storage/snapshots/snapshot-store.js";
import type { ForwardedKind } from "../../wire/forward-frames.js";
import type { Diagnose } from "../peers/complaints.js";
import type {
	CommandOutcome,
	ConfigurationOutcome,
	EventSubscriber,
	EventSubscription,
	ProposeOptions,
	QueryOptions,
	QueryOutcome,
	Replica,
	ReplicaStatus,
	SnapshotOutcome,
} from "../replica.js";
import { rejected } from "./admission.js";
import type { Driver } from "./driver.js";
import type { EngineStats } from "./engine-stats.js";
import { Observers } from "./observers.js";
import { OwnMembership } from "./own-membership.js";
import { failed } from "./reads.js";
import type { RequestOrigin } from "./request.js";
import { openSessionCommand } from "./session-opening.js";
import { opened, unwrapped } from "./session-outcomes.js";
import { bestSuccessor, transferRefusal } from "./transfers.js";
import {
	writeLevelDeadlineMs,
	writeLevelOutcome,
	writeLevelRefusal,
} from "./write-level.js";

/** This node's replica for the servers of the process: checks what comes in, and hands it to the driver. */
export class NodeReplica implements Replica {
	readonly #driver: Driver;
	readonly #observers: Observers;
	readonly #release: string;
	readonly #membership: OwnMembership;
	#refused: (() => void)[] = [];

	constructor(driver: Driver, release: string, diagnose: Diagnose) {
		this.#driver = driver;
		this.#release = release;
		this.#observers = new Observers(diagnose);
		const { raft } = driver;
		this.#membership = new OwnMembership(raft, raft.status().id);
	}

	propose(
		command: Uint8Array,
		options: ProposeOptions,
		done: (outcome: CommandOutcome) => void,
	): void {
		const { session, level = 0, ack, deadlineMs, client } = options;
		const origin = {
			kind: "local" as const,
			client,
			done: this.#observers.guarded(done),
		};
		this.#accept(
			session === undefined
				? { kind: EntryKind.command, level, command, ack, deadlineMs }
				: {
						...{ kind: EntryKind.sessionCommand, level, deadlineMs },
						// Whether it was executed at all, only its execution tells.
						ack: ack === "commit" ? "apply" : ack,
						command: encodeSessionCommand(session, command),
					},
			session === undefined
				? origin
				: { ...origin, done: unwrapped(origin.done, ack) },
		);
	}

	overload(): ReturnType<Replica["overload"]> {
		return this.#driver.parts.commands.overload();
	}

	openSession(
		{ deadlineMs, client }: Parameters<Replica["openSession"]>[0],
		done: Parameters<Replica["openSession"]>[1],
	): void {
		const guarded = this.#observers.guarded(done);
		this.#accept(
			{
				...{ kind: EntryKind.control, level: 0, ack: "apply", deadlineMs },
				command: openSessionCommand(Date.now()),
			},
			{
				...{ kind: "local", client },
				done: this.#observers.guarded((outcome) =>
					guarded(opened(outcome, this.status().raft.id)),
				),
			},
		);
	}

	changeConfiguration(
		change: ConfigurationChange,
		done: (outcome: ConfigurationOutcome) => void,
	): void {
		const guarded = this.#observers.guarded(done);
		if (this.#driver.isStopped) {
			const message = "the node is stopping; nothing was changed";
			queueMicrotask(() => guarded({ kind: "unknown", message }));
			return;
		}
		const { changes } = this.#driver.parts;
		this.#driver.raft.changeConfiguration(change, changes.begin(guarded));
		this.#driver.wake();
	}

	setWriteLevel(level: number, done: (refusal: string | null) => void): void {
		const { peers, state } = this.#driver.parts;
		const guarded = this.#observers.guarded(done);
		const { configuration } = this.#driver.raft.configuration();
		const refusal = writeLevelRefusal(level, {
			...{ configuration, machine: state.levels, self: this.status().raft.id },
			levelsOf: (peer) => peers.levelsOf(peer),
		});
		if (refusal !== null) {
			queueMicrotask(() => guarded(refusal));
			return;
		}
		const command = {
			...{ type: "set-write-level", level, release: this.#release },
			nowMs: Date.now(),
		};
		this.control(
			Buffer.from(JSON.stringify(command)),
			writeLevelDeadlineMs,
			(outcome) => guarded(writeLevelOutcome(outcome)),
		);
	}

	takeSnapshot(done: (outcome: SnapshotOutcome) => void): void {
		const guarded = this.#observers.guarded(done);
		queueMicrotask(() => this.#driver.parts.snapshots.take(guarded));
	}

	/** This node's snapshots, to be shown and copied. */
	get snapshots(): Pick<SnapshotStore, "list" | "open"> {
		return this.#driver.parts.snapshots.files;
	}

	control(
		command: Uint8Array,
		deadlineMs: number,
		done: (outcome: CommandOutcome) => void,
	): void {
		this.#accept(
			{ kind: EntryKind.control, level: 0, command, ack: "apply", deadlineMs },
			{ kind: "local", client: "control", done: this.#observers.guarded(done) },
		);
	}

	#accept(
		request: {
			readonly kind: ForwardedKind;
			readonly level: number;
			readonly command: Uint8Array;
			readonly ack: "none" | "commit" | "apply";
			readonly deadlineMs: number;
		},
		origin: Extract<RequestOrigin, { kind: "local" }>,
	): void {
		const { commands } = this.#driver.parts;
		const removed = this.#membership.refusal();
		if (removed !== null) {
			this.#refuse(() => origin.done(rejected("stopping", removed)));
			return;
		}
		const refusal = commands.accept({
			kind: request.kind,
			level: request.level,
			command: request.command,
			ack: request.ack,
			deadlineMs: performance.now() + request.deadlineMs,
			origin,
		});
		if (refusal === null) this.#driver.wake();
		else this.#refuse(() => origin.done(refusal));
	}

	/** Once the calls of now are over. Under overload there are many, and a microtask each costs more than the answer. */
	#refuse(tell: () => void): void {
		if (this.#refused.push(tell) > 1) return;
		queueMicrotask(() => {
			const refused = this.#refused;
			this.#refused = [];
			for (const each of refused) each();
		});
	}

	query(
		query: Uint8Array,
		options: QueryOptions,
		done: (outcome: QueryOutcome) => void,
	): void {
		const { consistency, minIndex } = options;
		const deadlineMs = performance.now() + options.deadlineMs;
		this.#read(
			{ query, minIndex, deadlineMs, done: this.#observers.guarded(done) },
			consistency,
		);
	}

	readIndex(deadlineMs: number, done: (index: number | null) => void): void {
		this.#read(
			{
				query: null,
				minIndex: 0,
				deadlineMs: performance.now() + deadlineMs,
				done: this.#observers.guarded((outcome) =>
					done(outcome.kind === "answer" ? outcome.index : null),
				),
			},
			"linearizable",
		);
	}

	#read(
		read: {
			readonly query: Uint8Array | null;
			minIndex: number;
			readonly deadlineMs: number;
			readonly done: (outcome: QueryOutcome) => void;
		},
		consistency: QueryOptions["consistency"],
	): void {
		const removed = this.#membership.refusal();
		if (removed !== null) {
			this.#refuse(() => read.done(failed("stopping", removed)));
			return;
		}
		const refusal = this.#driver.parts.reads.accept(read, consistency);
		if (refusal === null) this.#driver.wake();
		else this.#refuse(() => read.done(refusal));
	}

	transferLeadership(
		target: string | null,
		done: (refusal: string | null) => void,
	): void {
		const { peers, transfers } = this.#driver.parts;
		const { raft } = this.#driver;
		const status = raft.status();
		const isConnected = (id: string) => peers.isConnected(id);
		const refusal = this.#driver.isStopped
			? "the node is stopping"
			: transferRefusal(status, target, isConnected);
		const guarded = this.#observers.guarded(done);
		if (refusal !== null) {
			queueMicrotask(() => guarded(refusal));
			return;
		}
		const successor = target ?? bestSuccessor(status, isConnected);
		raft.transferLeadership(successor, transfers.begin(guarded));
		this.#driver.wake();
	}

	status(): ReplicaStatus {
		const { state, reads, commands, peers, log, watch } = this.#driver.parts;
		const leaderless = watch.leaderless(performance.now());
		return {
			raft: this.#driver.raft.status(),
			applied: state.applied,
			logBytes: log.stats().bytesHeld,
			oldestEventIndex: state.events.oldestIndex,
			inflight: commands.pending + reads.pending,
			connectedPeers: peers.connected(),
			linkTroubles: peers.troubles(),
			leaderlessTotalMs: leaderless.totalMs,
			leaderlessMaxMs: leaderless.maxMs,
			failure: this.#driver.failure,
			diskPendingMs: log.pendingMs(),
		};
	}

	controlState() {
		return this.#driver.parts.state.control;
	}

	clusterMs(): number {
		return this.#driver.parts.clock.nowMs();
	}

	toldMs(): number {
		return this.#driver.parts.clock.toldMs();
	}

	subscribe(
		from: number,
		subscriber: EventSubscriber,
	): EventSubscription | null {
		const { events } = this.#driver.parts.state;
		const subscription = this.#observers.subscribed(subscriber, (guarded) =>
			events.subscribe(from, guarded),
		);
		this.#driver.wake();
		return subscription;
	}

	leaderCommit() {
		return this.#driver.leaderCommit(performance.now());
	}

	/** Counters since the start, for the metrics. */
	stats(): EngineStats {
		const { counters, peers, log, state, effects } = this.#driver.parts;
		const { sent, read, queued } = peers.bytes();
		return {
			...counters,
			peers: {
				...peers.counters,
				bytesSent: sent,
				bytesRead: read,
				bytesQueued: queued,
			},
			log: log.stats(),
			events: {
				subscribers: state.events.subscribers,
				oldestIndex: state.events.oldestIndex,
			},
			blocksEncoded: effects.encodings,
		};
	}

	close(): Promise<void> {
		return this.#driver.close();
	}
}
