import { ClusterClock } from "../../src/daemon/engine/cluster-clock.js";
import type {
	CommandOutcome,
	ConfigurationOutcome,
	EventSubscription,
	LinkTrouble,
	QueryOutcome,
	Replica,
	ReplicaStatus,
	SessionOutcome,
	SnapshotOutcome,
} from "../../src/daemon/replica.js";
import {
	applyControl,
	type ControlState,
	createControlState,
} from "../../src/machines/control.js";
import type { ConfigurationChange, Status } from "../../src/raft/types.js";

/**
 * A replica whose view of the group the test writes down. Its control commands are the real ones, applied at once;
 * `refuseControl` stands for a group without a quorum.
 */
export class ScriptedReplica implements Replica {
	raft: Status;
	applied = 10;
	failure: string | null = null;
	diskPendingMs = 0;
	linkTroubles: readonly LinkTrouble[] = [];
	connectedPeers: readonly string[] = ["n2", "n3"];
	heard: { index: number; heardAgoMs: number } | null = {
		index: 10,
		heardAgoMs: 0,
	};
	readIndexAnswer: number | null = 10;
	refuseControl: CommandOutcome | null = null;
	/** The cluster's time is so far ahead of this machine's clock. */
	aheadMs = 0;
	/** What a transfer does: by default n2 takes over. */
	onTransfer: (target: string | null) => string | null = (target) => {
		this.raft = { ...this.raft, role: "follower", leader: target ?? "n2" };
		return null;
	};
	readonly transfers: (string | null)[] = [];
	/** How a change of membership, a snapshot and a raise of the write level end. */
	changeOutcome: ConfigurationOutcome = { kind: "done", index: 11 };
	snapshotOutcome: SnapshotOutcome = { kind: "taken", index: 10 };
	levelRefusal: string | null = null;
	readonly changes: ConfigurationChange[] = [];
	readonly #control: ControlState = createControlState();
	readonly #clock = new ClusterClock({
		told: () => this.#control.nowMs,
		wallMs: () => Date.now(),
		monotonicMs: () => performance.now(),
	});
	#index = 10;

	constructor(role: Status["role"] = "leader") {
		this.raft = scriptedStatus(role);
	}

	control(
		command: Uint8Array,
		_deadlineMs: number,
		done: (outcome: CommandOutcome) => void,
	): void {
		const refused = this.refuseControl;
		if (refused !== null) return void setImmediate(() => done(refused));
		const index = ++this.#index;
		const result = applyControl(this.#control, command, index);
		this.#clock.toldMs();
		setImmediate(() => done({ kind: "applied", index, result }));
	}

	openSession(_options: object, done: (outcome: SessionOutcome) => void): void {
		const id = ++this.#index;
		setImmediate(() => done({ kind: "opened", id, ttlMs: 60_000 }));
	}

	changeConfiguration(
		change: ConfigurationChange,
		done: (outcome: ConfigurationOutcome) => void,
	): void {
		this.changes.push(change);
		const outcome = this.changeOutcome;
		setImmediate(() => done(outcome));
	}

	setWriteLevel(level: number, done: (refusal: string | null) => void): void {
		const refusal = this.levelRefusal;
		if (refusal === null)
			this.#control.writeLevel = { level, release: "scripted" };
		setImmediate(() => done(refusal));
	}

	takeSnapshot(done: (outcome: SnapshotOutcome) => void): void {
		const outcome = this.snapshotOutcome;
		setImmediate(() => done(outcome));
	}

	transferLeadership(
		target: string | null,
		done: (refusal: string | null) => void,
	): void {
		this.transfers.push(target);
		const refusal = this.onTransfer(target);
		setImmediate(() => done(refusal));
	}

	readIndex(_deadlineMs: number, done: (index: number | null) => void): void {
		setImmediate(() => done(this.readIndexAnswer));
	}

	status(): ReplicaStatus {
		return {
			raft: this.raft,
			applied: this.applied,
			logBytes: 65_536,
			oldestEventIndex: 1,
			inflight: 0,
			connectedPeers: this.connectedPeers,
			linkTroubles: this.linkTroubles,
			leaderlessTotalMs: 120,
			leaderlessMaxMs: 80,
			failure: this.failure,
			diskPendingMs: this.diskPendingMs,
		};
	}

	controlState(): Readonly<ControlState> {
		return this.#control;
	}

	clusterMs(): number {
		return Date.now() + this.aheadMs;
	}

	toldMs(): number {
		return this.#clock.toldMs();
	}

	leaderCommit() {
		return this.heard;
	}

	overload(): null {
		return null;
	}

	propose(
		_command: Uint8Array,
		_options: unknown,
		done: (outcome: CommandOutcome) => void,
	): void {
		setImmediate(() => done({ kind: "accepted" }));
	}

	query(
		_query: Uint8Array,
		_options: unknown,
		done: (outcome: QueryOutcome) => void,
	): void {
		setImmediate(() =>
			done({
				kind: "answer",
				index: this.applied,
				answer: new Uint8Array(0),
				ageMs: 0,
			}),
		);
	}

	subscribe(): EventSubscription {
		return { close: () => {} };
	}

	async close(): Promise<void> {}
}

function scriptedStatus(role: Status["role"]): Status {
	const address = (port: number) => ({
		peer: `127.0.0.1:${port}`,
		client: `127.0.0.1:${port + 1}`,
		admin: `127.0.0.1:${port + 2}`,
	});
	return {
		id: "n1",
		role,
		term: 3,
		leader: role === "leader" ? "n1" : "n2",
		votedFor: "n1",
		firstIndex: 1,
		snapshotIndex: 0,
		lastIndex: 12,
		lastTerm: 3,
		durableIndex: 12,
		commit: 10,
		applied: 10,
		configuration: {
			voters: ["n1", "n2", "n3"],
			outgoing: [],
			learners: [],
			addresses: { n1: address(7000), n2: address(7010), n3: address(7020) },
		},
		configurationIndex: 1,
		transferTarget: null,
		uncommittedBytes: 0,
		followers:
			role === "leader"
				? ["n2", "n3"].map((id) => ({
						id,
						state: "replicate" as const,
						match: 12,
						next: 13,
						inflightMessages: 0,
						inflightBytes: 0,
						heardAgoMs: 20,
						catchUp: {
							lagEntries: 0,
							entriesPerSecond: 0,
							remainingMs: 0,
							caughtUp: true,
						},
						counted: true,
					}))
				: [],
	};
}
