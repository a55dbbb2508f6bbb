import type {
	LockStatus,
	NodeStatus,
	ScheduledSnapshot,
	SnapshotSchedule,
	SnapshotSummary,
	StoredOperation,
} from "../../src/cluster/engine.js";
import { OperatorError } from "../../src/errors.js";
import type { FakeClock } from "./fake-clock.js";

export interface FakeNode {
	readonly id: string;
	/** As the newest configuration has it; null for one that takes no part. */
	role: "voter" | "learner" | null;
	/** As the members know it. */
	addresses: Addresses;
	/** Where its process answers. */
	answersAt: string;
	/** Of its data directory; null when that is empty. */
	incarnation: string | null;
	running: boolean;
	/** It starts, and ends at once, as with a port in use. */
	failsToStart: boolean;
	/** It starts and never gets ready. */
	neverReady: boolean;
	/** It ignores SIGTERM. */
	neverStops: boolean;
	/** Entries that its log is short of the leader's: so many when it started, and less by `catchesUpPerMs` since. */
	behind: number;
	catchesUpPerMs: number;
	/** Newest first. */
	snapshots: SnapshotSummary[];
	process: number;
	startedAtMs: number;
	/** After a start it says nothing for so long. */
	silentMs: number;
	downSinceMs: number;
	drain: { until: number; closing: boolean };
	/** Connections that ignore being told to go. */
	stubborn: number;
}

interface Addresses {
	readonly peer: string;
	readonly client: string;
	readonly admin: string;
}

export interface FakeConnection {
	readonly id: number;
	node: string;
	moves: number;
}

const bootMs = 300;
const electionMs = 1_000;
/** What a node with an empty disk has to fetch, in entries. */
const newcomerBehind = 2_000;

/** A small cluster in memory, by the rules that matter to an operator: quorum, leadership, drain, connections, lock. */
export class FakeCluster {
	readonly clusterId = "c1";
	readonly nodes: Map<string, FakeNode>;
	readonly connections: FakeConnection[] = [];
	/** Connections that were open on a node when it stopped. */
	cut = 0;
	leader: string | null;
	term = 3;
	lock: LockStatus | null = null;
	/** The cluster's time is so far ahead of the operator's clock. */
	clockAheadMs = 0;
	newestToken = 0;
	preferred: readonly string[] = [];
	readonly transfers: string[] = [];
	/** Moments at which fewer voters than a quorum were up. */
	quorumLosses = 0;
	leaderlessMs = 0;
	/** Data directories can be looked into: what is in them says whose they are. */
	hasDisks = false;
	/** Members that the others have never spoken to. */
	readonly unmet = new Set<string>();
	alarms: NodeStatus["alarms"] = [];
	configurationIndex = 1;
	/** Every change that was made, as "add n4, promote n4". */
	readonly changes: string[] = [];
	/** Newest first. */
	operations: StoredOperation[] = [];
	schedule: SnapshotSchedule | null = null;
	writeLevel: NodeStatus["writeLevel"] = null;
	scheduled: ScheduledSnapshot | null = null;
	#incarnations = 0;
	#leaderlessSinceMs: number | null = null;

	constructor(
		readonly clock: FakeClock,
		roles: Readonly<Record<string, "voter" | "learner">>,
	) {
		this.nodes = new Map(
			Object.entries(roles).map(([id, role]) => [id, freshNode(id, role)]),
		);
		this.leader = this.voters()[0]?.id ?? null;
	}

	node(id: string): FakeNode {
		const node = this.nodes.get(id);
		if (node === undefined) throw new Error(`no node ${id}`);
		return node;
	}

	/** A program that nobody knows yet, with an empty data directory. */
	addProgram(id: string): FakeNode {
		const node = { ...freshNode(id, "learner"), role: null, process: 0 };
		node.running = false;
		node.incarnation = null;
		this.nodes.set(id, node);
		return node;
	}

	/** Its data directory is gone. */
	wipe(id: string): void {
		this.node(id).incarnation = null;
		this.node(id).snapshots = [];
	}

	members(): FakeNode[] {
		return [...this.nodes.values()].filter(({ role }) => role !== null);
	}

	behindNow({ behind, catchesUpPerMs, startedAtMs }: FakeNode): number {
		const caughtUp = (this.clock.now() - startedAtMs) * catchesUpPerMs;
		return Math.max(0, behind - Math.floor(caughtUp));
	}

	voters(): FakeNode[] {
		return [...this.nodes.values()].filter(({ role }) => role === "voter");
	}

	hasQuorum(): boolean {
		const voters = this.voters();
		return voters.filter(({ running }) => running).length > voters.length / 2;
	}

	connect(count: number, node: string): void {
		for (let n = 0; n < count; n++)
			this.connections.push({ id: this.connections.length, node, moves: 0 });
	}

	at(node: string): FakeConnection[] {
		return this.connections.filter((connection) => connection.node === node);
	}

	isDraining(id: string): boolean {
		return this.node(id).drain.until > this.clock.now();
	}

	isReady(id: string): boolean {
		const node = this.node(id);
		return (
			node.running &&
			!node.neverReady &&
			this.clock.now() - node.startedAtMs >= bootMs &&
			node.role !== null &&
			this.leader !== null
		);
	}

	start(id: string): void {
		const node = this.node(id);
		if (node.running || node.failsToStart) return;
		node.running = true;
		if (node.incarnation === null) {
			node.incarnation = `i-${id}-${++this.#incarnations}`;
			node.behind = newcomerBehind;
			node.catchesUpPerMs = 1;
		}
		node.process += 1;
		node.startedAtMs = this.clock.now();
		node.drain = { until: 0, closing: false };
	}

	stop(id: string): void {
		const node = this.node(id);
		if (!node.running) return;
		node.running = false;
		node.downSinceMs = this.clock.now();
		this.cut += this.at(id).length;
		for (const connection of this.at(id)) this.#move(connection);
		if (!this.hasQuorum()) this.quorumLosses += 1;
		this.advance();
	}

	/** Lets elections and leases catch up with the clock. */
	advance(): void {
		const now = this.clock.now();
		const leads = this.leader === null ? null : this.node(this.leader);
		const leaderGone =
			leads !== null && (!leads.running || leads.role !== "voter");
		if (leaderGone || (this.leader !== null && !this.hasQuorum())) {
			this.leader = null;
			this.#leaderlessSinceMs = now;
		}
		if (this.leader !== null || !this.hasQuorum()) return;
		this.#leaderlessSinceMs ??= now;
		if (now - this.#leaderlessSinceMs < electionMs) return;
		this.leader = this.voters().find(({ running }) => running)?.id ?? null;
		this.term += 1;
		this.leaderlessMs += now - this.#leaderlessSinceMs;
		this.#leaderlessSinceMs = null;
	}

	closeConnections(id: string): void {
		const node = this.node(id);
		node.drain.closing = true;
		for (const connection of this.at(id).slice(node.stubborn))
			this.#move(connection);
	}

	commit(): number {
		return 1_000 + Math.floor(this.clock.now() / 10);
	}

	requireFencing(node: string, token: number): void {
		if (token >= this.newestToken) return;
		throw new OperatorError(
			"refused",
			`${node}: token ${token} is out of date`,
		);
	}

	lockNow(): LockStatus | null {
		return this.lock !== null && this.lock.expiresAtMs > this.clock.now()
			? this.lock
			: null;
	}

	/** As raftd does: an expired one is shown until another is taken. */
	#shownLock(): LockStatus | null {
		if (this.lock === null) return null;
		const { acquiredAtMs, expiresAtMs } = this.lock;
		return {
			...this.lock,
			acquiredAtMs: acquiredAtMs + this.clockAheadMs,
			expiresAtMs: expiresAtMs + this.clockAheadMs,
			leftMs: Math.max(0, expiresAtMs - this.clock.now()),
		};
	}

	status(id: string): NodeStatus {
		this.advance();
		const node = this.node(id);
		const leads = this.leader === id;
		const booted = this.clock.now() - node.startedAtMs >= bootMs;
		const ready = this.isReady(id) && !this.isDraining(id);
		const others = this.members().filter((one) => one.id !== id);
		const connections = this.at(id).length;
		return {
			certificates: null,
			clusterId: this.clusterId,
			clusterName: "test",
			nodeId: id,
			incarnation: node.incarnation ?? "",
			processId: `${id}-${node.process}`,
			release: "0.1.0",
			machine: "kv",
			role: leads ? "leader" : "follower",
			term: this.term,
			leader: booted && node.role !== null ? this.leader : null,
			lastIndex: this.commit(),
			durableIndex: this.commit(),
			commitIndex: this.commit(),
			appliedIndex:
				booted && node.role !== null ? this.commit() - this.behindNow(node) : 0,
			configurationIndex: node.role === null ? 0 : this.configurationIndex,
			members: (node.role === null ? [] : this.members()).map((one) => ({
				id: one.id,
				role: one.role ?? "learner",
				...one.addresses,
				incarnation: this.unmet.has(one.id) ? "" : (one.incarnation ?? ""),
			})),
			followers: leads ? others.map((one) => this.#followerView(one)) : [],
			ready,
			checks: [
				{ name: "started", ok: booted, reason: booted ? "" : "booting" },
				{
					name: "healthy",
					ok: !node.neverReady,
					reason: node.neverReady ? "sick" : "",
				},
				{
					name: "not-draining",
					ok: !this.isDraining(id),
					reason: this.isDraining(id) ? "asked to" : "",
				},
			],
			drain: this.drainStatus(id),
			connections: { total: connections, websockets: connections, streams: 0 },
			inflightRequests: 0,
			connectedPeers: others
				.filter(({ running }) => running && booted)
				.map((one) => one.id),
			lock: this.#shownLock(),
			levels: { readsFrom: 0, readsTo: 1, writes: 0 },
			alarms: this.alarms,
			snapshotIndex: node.snapshots[0]?.index ?? 0,
			operation: this.operations.find(({ unfinished }) => unfinished) ?? null,
			snapshotSchedule: this.schedule,
			scheduledSnapshot: this.scheduled,
			writeLevel: this.writeLevel,
			uptimeMs: this.clock.now() - node.startedAtMs,
			leaderlessMaxMs: this.leaderlessMs,
			leaderlessTotalMs: this.leaderlessMs,
		};
	}

	drainStatus(id: string): NodeStatus["drain"] {
		const { drain } = this.node(id);
		const draining = this.isDraining(id);
		return {
			draining,
			closing: draining && drain.closing,
			stopping: false,
			leaseLeftMs: draining ? drain.until - this.clock.now() : 0,
			connectionsLeft: this.at(id).length,
		};
	}

	catchUpOf(node: FakeNode): NodeStatus["followers"][number]["catchUp"] {
		const lagEntries = this.behindNow(node);
		const perMs = node.running ? node.catchesUpPerMs : 0;
		return {
			lagEntries,
			entriesPerSecond: perMs * 1_000,
			remainingMs:
				lagEntries === 0 ? 0 : perMs === 0 ? null : lagEntries / perMs,
			caughtUp: node.running && lagEntries === 0,
		};
	}

	#followerView(node: FakeNode): NodeStatus["followers"][number] {
		return {
			id: node.id,
			state: "replicate",
			match: node.running ? this.commit() - this.behindNow(node) : 0,
			catchUp: this.catchUpOf(node),
			counted: true,
			heardAgoMs: node.running
				? 10
				: this.clock.now() - node.downSinceMs + 2_000,
		};
	}

	/** Where a balancer would send it: a preferred node, else the admitting one with the fewest connections. */
	#move(connection: FakeConnection): void {
		const able = [...this.nodes.keys()].filter(
			(id) =>
				id !== connection.node && this.isReady(id) && !this.isDraining(id),
		);
		const liked = able.filter((id) => this.preferred.includes(id));
		const [next] = (liked.length > 0 ? liked : able).sort(
			(a, b) => this.at(a).length - this.at(b).length,
		);
		if (next === undefined) return;
		connection.node = next;
		connection.moves += 1;
	}
}

function freshNode(id: string, role: FakeNode["role"]): FakeNode {
	return {
		id,
		role,
		addresses: { peer: `${id}:1`, client: `${id}:2`, admin: `${id}:3` },
		answersAt: `${id}:3`,
		running: true,
		failsToStart: false,
		neverReady: false,
		neverStops: false,
		incarnation: `i-${id}`,
		behind: 0,
		catchesUpPerMs: 0,
		snapshots: [],
		process: 1,
		startedAtMs: -10_000,
		silentMs: 0,
		downSinceMs: 0,
		drain: { until: 0, closing: false },
		stubborn: 0,
	};
}
