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
	SessionOutcome,
} from "../../src/daemon/replica.js";
import {
	applyControl,
	type ControlState,
	createControlState,
} from "../../src/machines/control.js";
import { type Machine, MachineInputError } from "../../src/machines/machine.js";
import type { ConfigurationChange } from "../../src/raft/types.js";
import { FakeSessions } from "./fake-sessions.js";

interface Told {
	readonly index: number;
	readonly event: Uint8Array;
}

type Rejected = Extract<CommandOutcome, { kind: "rejected" }>;

/**
 * A cluster of one, in memory: it really runs the machine, keeps its events and keeps the contract of Replica — each
 * callback once, and never from within the call. `hold` keeps what arrives until `release`, as a slow disk would.
 */
export class FakeReplica implements Replica {
	readonly proposals: ProposeOptions[] = [];
	readonly queries: QueryOptions[] = [];
	/** The next commands end like this instead of being executed. */
	readonly nextOutcomes: CommandOutcome[] = [];
	readonly nextQueryOutcomes: QueryOutcome[] = [];
	/** Set while there is no room for any command. */
	full: Rejected | null = null;
	/** So many of the next commands are executed, and their callers never hear of it. */
	answersToLose = 0;
	/** What whoever wants a session is told instead. */
	noSession: Rejected | null = null;
	readonly sessions = new FakeSessions();
	sessionTtlMs = 600_000;
	/** What stale answers give as their age. */
	staleAgeMs = 0;
	leader: string | null = "n1";
	/** The leader's client address, as the configuration has it. */
	leaderClient = "h:2";
	readonly #machine: Machine;
	readonly #state: unknown;
	readonly #control: ControlState = createControlState();
	readonly #subscribers = new Map<EventSubscriber, number>();
	readonly #maxEvents: number;
	#events: Told[] = [];
	#oldest = 1;
	#applied = 0;
	#held: (() => void)[] | null = null;
	#inflight = 0;

	constructor(machine: Machine, options: { maxEvents?: number } = {}) {
		this.#machine = machine;
		this.#state = machine.create();
		this.#maxEvents = options.maxEvents ?? 1_000_000;
	}

	get inflight(): number {
		return this.#inflight;
	}

	get subscribers(): number {
		return this.#subscribers.size;
	}

	hold(): void {
		this.#held ??= [];
	}

	release(): void {
		const held = this.#held ?? [];
		this.#held = null;
		for (const run of held) run();
	}

	overload(): Rejected | null {
		return this.full;
	}

	propose(
		command: Uint8Array,
		options: ProposeOptions,
		done: (outcome: CommandOutcome) => void,
	): void {
		this.proposals.push(options);
		const forced = this.nextOutcomes.shift();
		this.#later(() => {
			const outcome = forced ?? this.#propose(command, options);
			if (forced !== undefined || this.answersToLose === 0) done(outcome);
			else {
				this.answersToLose -= 1;
				done({ kind: "unknown", message: "the answer was lost" });
			}
		});
	}

	openSession(_options: object, done: (outcome: SessionOutcome) => void): void {
		this.#later(() => {
			if (this.noSession !== null) {
				done(this.noSession);
				return;
			}
			if (this.leader === null) {
				const message = "no leader";
				done({
					...{ kind: "rejected", reason: "no-leader", message },
					retryAfterMs: 0,
				});
				return;
			}
			this.#applied += 1;
			this.sessions.open(this.#applied);
			done({ kind: "opened", id: this.#applied, ttlMs: this.sessionTtlMs });
			this.#progress();
		});
	}

	changeConfiguration(
		_change: ConfigurationChange,
		done: (outcome: ConfigurationOutcome) => void,
	): void {
		this.#later(() =>
			done({ kind: "unknown", message: "a cluster of one in memory" }),
		);
	}

	setWriteLevel(level: number, done: (refusal: string | null) => void): void {
		this.#later(() => {
			this.#control.writeLevel = { level, release: "fake" };
			done(null);
		});
	}

	takeSnapshot(
		done: (outcome: {
			readonly kind: "failed";
			readonly message: string;
		}) => void,
	): void {
		this.#later(() => done({ kind: "failed", message: "there is no disk" }));
	}

	control(
		command: Uint8Array,
		_deadlineMs: number,
		done: (outcome: CommandOutcome) => void,
	): void {
		this.#later(() => {
			this.#applied += 1;
			const result = applyControl(this.#control, command, this.#applied);
			done({ kind: "applied", index: this.#applied, result });
			this.#progress();
		});
	}

	query(
		query: Uint8Array,
		options: QueryOptions,
		done: (outcome: QueryOutcome) => void,
	): void {
		this.queries.push(options);
		const forced = this.nextQueryOutcomes.shift();
		this.#later(() => done(forced ?? this.#answer(query, options)));
	}

	readIndex(_deadlineMs: number, done: (index: number | null) => void): void {
		this.#later(() => done(this.leader === null ? null : this.#applied));
	}

	transferLeadership(
		_target: string | null,
		done: (refusal: string | null) => void,
	): void {
		this.#later(() => done("there is nobody else"));
	}

	controlState(): Readonly<ControlState> {
		return this.#control;
	}

	clusterMs(): number {
		return Date.now();
	}

	/** No time passes behind the last command. */
	toldMs(): number {
		return this.#control.nowMs;
	}

	subscribe(
		from: number,
		subscriber: EventSubscriber,
	): EventSubscription | null {
		if (from < this.#oldest) return null;
		this.#subscribers.set(subscriber, from);
		setImmediate(() => this.#catchUp(subscriber));
		return { close: () => this.#subscribers.delete(subscriber) };
	}

	leaderCommit() {
		return { index: this.#applied, heardAgoMs: 0 };
	}

	async close(): Promise<void> {
		this.release();
		this.#subscribers.clear();
	}

	status(): ReplicaStatus {
		return {
			raft: {
				id: "n1",
				role: this.leader === "n1" ? "leader" : "follower",
				term: 1,
				leader: this.leader,
				votedFor: "n1",
				firstIndex: 1,
				snapshotIndex: 0,
				lastIndex: this.#applied,
				lastTerm: 1,
				durableIndex: this.#applied,
				commit: this.#applied,
				applied: this.#applied,
				configuration: {
					voters: ["n1"],
					outgoing: [],
					learners: [],
					addresses: {
						n1: { peer: "h:1", client: this.leaderClient, admin: "h:3" },
					},
				},
				configurationIndex: 1,
				transferTarget: null,
				uncommittedBytes: 0,
				followers: [],
			},
			applied: this.#applied,
			oldestEventIndex: this.#oldest,
			inflight: this.#inflight,
			connectedPeers: [],
			linkTroubles: [],
			leaderlessTotalMs: 0,
			leaderlessMaxMs: 0,
			failure: null,
			diskPendingMs: 0,
			logBytes: 0,
		};
	}

	#later(run: () => void): void {
		this.#inflight += 1;
		const settle = () => {
			this.#inflight -= 1;
			run();
		};
		setImmediate(() => {
			if (this.#held === null) settle();
			else this.#held.push(settle);
		});
	}

	#propose(
		command: Uint8Array,
		{ ack, session }: ProposeOptions,
	): CommandOutcome {
		const outcome =
			session === undefined
				? this.#execute(command)
				: this.sessions.run(session, () => this.#execute(command));
		if (outcome.kind === "rejected" || ack === "apply") return outcome;
		return ack === "none"
			? { kind: "accepted" }
			: { kind: "committed", index: outcome.index };
	}

	#execute(
		command: Uint8Array,
	): Extract<CommandOutcome, { kind: "applied" | "rejected" }> {
		const message = this.#machine.validate?.(command, this.#state) ?? null;
		if (message !== null)
			return { kind: "rejected", reason: "invalid", message, retryAfterMs: 0 };
		this.#applied += 1;
		const index = this.#applied;
		const result = this.#machine.apply(this.#state, command, {
			index,
			level: 1,
			emit: (event) => this.#keep({ index, event }),
		});
		this.#progress();
		return { kind: "applied", index, result };
	}

	#answer(
		query: Uint8Array,
		{ minIndex, consistency }: QueryOptions,
	): QueryOutcome {
		if (minIndex > this.#applied) {
			const message = `index ${minIndex} is not applied`;
			return { kind: "failed", reason: "timeout", message };
		}
		try {
			const answer = this.#machine.query(this.#state, query);
			const ageMs = consistency === "stale" ? this.staleAgeMs : 0;
			return { kind: "answer", index: this.#applied, answer, ageMs };
		} catch (error) {
			if (!(error instanceof MachineInputError)) throw error;
			return { kind: "failed", reason: "invalid", message: error.message };
		}
	}

	#keep(told: Told): void {
		this.#events.push(told);
		if (this.#events.length > this.#maxEvents) {
			this.#events = this.#events.slice(-Math.ceil(this.#maxEvents / 2));
			this.#oldest = (this.#events[0] as Told).index;
		}
	}

	#progress(): void {
		for (const subscriber of [...this.#subscribers.keys()])
			this.#catchUp(subscriber);
	}

	#catchUp(subscriber: EventSubscriber): void {
		const next = this.#subscribers.get(subscriber);
		if (next === undefined) return;
		this.#subscribers.set(subscriber, Math.max(next, this.#applied + 1));
		let at = this.#firstAt(next);
		for (; at < this.#events.length; at += 1) {
			if (!this.#subscribers.has(subscriber)) return;
			const { index, event } = this.#events[at] as Told;
			subscriber.onEvent(index, event);
		}
		if (this.#subscribers.has(subscriber)) subscriber.onProgress(this.#applied);
	}

	#firstAt(index: number): number {
		let at = this.#events.length;
		while (at > 0 && (this.#events[at - 1] as Told).index >= index) at -= 1;
		return at;
	}
}
