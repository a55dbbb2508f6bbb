import type { Machine } from "../../machines/machine.js";
import { commandOf } from "../../machines/sessions.js";
import { foundingLevel } from "../../raft/bootstrap.js";
import { membersOf } from "../../raft/configurations.js";
import { Raft } from "../../raft/raft.js";
import {
	type Configuration,
	EntryKind,
	type PlacedConfiguration,
	type RaftOptions,
} from "../../raft/types.js";
import type { SnapshotStore } from "../../storage/snapshots/snapshot-store.js";
import type { Diagnose } from "../peers/complaints.js";
import type { Incarnations, PeerIdentity } from "../peers/handshake.js";
import { Peers } from "../peers/peers.js";
import type { PeerTransport } from "../peers/transport.js";
import { overloaded, rejected } from "./admission.js";
import { Applier } from "./applier.js";
import { ClusterClock } from "./cluster-clock.js";
import { Commands } from "./commands.js";
import { controlRefusal } from "./control-refusal.js";
import { Driver } from "./driver.js";
import type { DriverParts } from "./driver-parts.js";
import { Effects } from "./effects.js";
import { zeroCounters } from "./engine-stats.js";
import { Housekeeping } from "./housekeeping.js";
import { MemberIncarnations } from "./incarnations.js";
import { LeaderWatch } from "./leader-watch.js";
import { type Limits, limitsFrom } from "./limits.js";
import { MembershipChanges } from "./membership.js";
import { NodeReplica } from "./node-replica.js";
import { Reads } from "./reads.js";
import { type Recovered, type RecoverOptions, recover } from "./recover.js";
import type { ReplicatedState } from "./replicated-state.js";
import { Snapshots } from "./snapshots/snapshots.js";
import { Transfers } from "./transfers.js";

export interface ReplicaOptions
	extends Pick<RecoverOptions, "openLog" | "openStore"> {
	readonly identity: PeerIdentity;
	/** The members of a cluster that is founded now; a log that exists knows its own. Addresses here win over the log's. */
	readonly initial: Configuration;
	/** This node founds nothing: it waits until the leader of an existing cluster adds it. */
	readonly joins: boolean;
	/** Written into snapshots. */
	readonly release: string;
	/** Absolute, and locked by the caller. The log lies in wal/. */
	readonly dataDirectory: string;
	/** "host:port" */
	readonly peerListen: string;
	/** Default: plain TCP. */
	readonly transport?: PeerTransport;
	readonly timing: ReplicaTiming;
	/** What differs from `defaultLimits`. */
	readonly limits: Readonly<Record<string, number>>;
	readonly machine: Machine;
	readonly incarnations: Incarnations;
	readonly diagnose: Diagnose;
	/** Nothing will be acknowledged any more: the process must end. */
	onFatal(error: Error): void;
}

interface ReplicaTiming {
	readonly electionTimeoutMs: number;
	readonly heartbeatIntervalMs: number;
	readonly transferTimeoutMs: number;
	readonly diskStallMs: number;
}

/** How long the fate of a proposal, or the confirmation of a read, may stay open in the core. */
const outcomeTimeoutMs = 10_000;
/** Far more than clocks of machines that work drift apart; docs/guarantees.md states it. */
const maxClockDrift = 0.1;
/** Fine enough for heartbeats to be on time, and for a follower to learn soon what is committed. */
const ticksPerHeartbeat = 4;
const maxTickIntervalMs = 10;

/**
 * Starts this node's replica: opens its log, or founds it; replays it; listens, and dials the others. Rejects with an
 * OperatorError when the log cannot be used, or `peerListen` is not free.
 */
export async function startReplica(
	options: ReplicaOptions,
): Promise<NodeReplica> {
	const limits = limitsFrom(options.limits);
	const recovered = await recover({ ...options, limits });
	try {
		const driver = assemble(options, limits, recovered);
		await driver.parts.peers.open(performance.now());
		driver.start();
		return new NodeReplica(driver, options.release, options.diagnose);
	} catch (error) {
		await recovered.store.close();
		await recovered.log.close();
		throw error;
	}
}

function assemble(
	options: ReplicaOptions,
	limits: Limits,
	recovered: Recovered,
): Driver {
	const { diagnose, timing, identity, initial, onFatal } = options;
	const { log, state, restored } = recovered;
	const nowMs = () => performance.now();
	const raft = new Raft(raftOptions(options, limits), restored, nowMs());
	const counters = zeroCounters();
	const incarnations = new MemberIncarnations(
		options.incarnations,
		() => raft.configuration().configuration,
	);
	const later = (work: () => void) => {
		driver.guard(work);
		driver.wake();
	};
	const peers = makePeers(
		{ ...options, incarnations },
		{ limits, store: recovered.store, state },
		() => driver,
	);
	const effects = new Effects({
		...{ raft, log, peers, counters, diagnose, later },
		maxMessageBytes: limits.maxMessageBytes,
	});
	const clock = new ClusterClock({
		told: () => state.control.nowMs,
		wallMs: () => Date.now(),
		monotonicMs: nowMs,
	});
	const commands = makeCommands({ limits, peers, counters }, raft, {
		...{ state, clock, isBehind: () => applier.isBehind },
	});
	const reads = makeReads({ limits, peers, counters }, { raft, state }, () =>
		driver.currencyMs(),
	);
	const applier = new Applier({
		...{ state, log, maxWaitingBytes: limits.maxApplyLagBytes },
		onExecuted: (entry, result) => {
			snapshots.applied(entry.data.length);
			commands.executed(entry.index, result);
		},
		onLoaded: () => driver.wake(),
		onUnreadable: (error) => driver.fail(error),
	});
	const snapshots = new Snapshots({
		...{ raft, log, store: recovered.store, state, limits, counters },
		...{ diagnose, nowMs, later, clusterId: identity.clusterId },
		...{ machine: options.machine.name, release: options.release },
		fetch: (from, index) => peers.fetchSnapshot(from, index),
		onRestored: (index) => driver.restored(index),
		onFatal: (error) => driver.fail(error),
	});
	const changes = new MembershipChanges();
	const housekeeping = new Housekeeping({
		...{ raft, state, commands, diagnose, nowMs },
		clusterMs: () => clock.nowMs(),
		...{ incarnations, incarnation: identity.incarnation },
		change: (change, done) =>
			raft.changeConfiguration(change, changes.begin(done)),
	});
	const driver = new Driver({
		...{ raft, diagnose, onFatal },
		parts: {
			...{ limits, log, peers, state, clock, applier, effects },
			...{ commands, reads },
			...{ snapshots, changes, housekeeping },
			...{ counters, transfers: new Transfers(), watch: new LeaderWatch() },
		},
		tickIntervalMs: Math.max(
			1,
			Math.min(
				timing.heartbeatIntervalMs / ticksPerHeartbeat,
				maxTickIntervalMs,
			),
		),
		onChanged: () =>
			peers.setMembers(addressesOf(raft.openConfigurations(), initial)),
	});
	recovered.listen(driver);
	return driver;
}

function makeCommands(
	shared: Pick<DriverParts, "limits" | "peers" | "counters">,
	raft: Raft,
	applying: {
		readonly state: ReplicatedState;
		readonly clock: ClusterClock;
		readonly isBehind: () => boolean;
	},
): Commands {
	const { state, clock, isBehind } = applying;
	return new Commands({
		...{ ...shared, nowMs: () => performance.now() },
		propose: (kind, requested, commands, firstToken) => {
			// The write level may have changed since the command was let in; it only rises.
			const level =
				kind === EntryKind.control
					? foundingLevel
					: requested || state.writtenLevel;
			return raft.propose({ kind, level, commands, firstToken });
		},
		refuses: (kind, level, command) => {
			if (kind === EntryKind.control)
				return controlRefusal(command, clock.nowMs());
			if (isBehind())
				return overloaded("it has not executed yet what is committed");
			const tooHigh = state.refusesLevel(level);
			if (tooHigh !== null) return rejected("level", tooHigh);
			const mistake = state.refuses(
				kind === EntryKind.sessionCommand ? commandOf(command) : command,
			);
			return mistake === null ? null : rejected("invalid", mistake);
		},
	});
}

function makeReads(
	{
		limits,
		peers,
		counters,
	}: Pick<DriverParts, "limits" | "peers" | "counters">,
	{ raft, state }: { readonly raft: Raft; readonly state: ReplicatedState },
	ageMs: () => number,
): Reads {
	return new Reads({
		...{ nowMs: () => performance.now(), counters, ageMs },
		isConnected: (peer) => peers.isConnected(peer),
		maxPending: limits.maxPendingReads,
		maxPendingBytes: limits.maxPendingReadBytes,
		readIndex: (token) => raft.readIndex(token),
		leaseIndex: () => (raft.holdsLease(performance.now()) ? raft.commit : null),
		holdsLease: () => raft.holdsLease(performance.now()),
		query: (query) => state.query(query),
		applied: () => state.applied,
	});
}

function makePeers(
	options: ReplicaOptions,
	{
		limits,
		store,
		state,
	}: {
		readonly limits: Limits;
		readonly store: SnapshotStore;
		readonly state: ReplicatedState;
	},
	driver: () => Driver,
): Peers {
	const { identity, incarnations, diagnose, peerListen, transport } = options;
	return new Peers({
		...(transport === undefined ? {} : { transport }),
		...{ self: identity, listen: peerListen, incarnations, diagnose, store },
		writeLevel: () => state.agreedLevel,
		maxQueuedBytes: limits.maxPeerQueueBytes,
		maxSnapshotBytesPerSecond: limits.maxSnapshotBytesPerSecond,
		events: {
			onMessage: (message, block) => driver().receive(message, block),
			onForward: (peer, link, frame) =>
				driver().input(({ commands }) =>
					commands.acceptForwarded({ peer, link }, frame),
				),
			onOutcomes: (from, frame) =>
				driver().input(({ commands }) => commands.takeOutcomes(from, frame)),
			onSnapshotDamaged: () => driver().parts.snapshots.take(() => {}),
			onConnected: () => driver().wake(),
			onBroken: (peer, direction) => driver().peerBroken(peer, direction),
		},
	});
}

function raftOptions(options: ReplicaOptions, limits: Limits): RaftOptions {
	return {
		id: options.identity.nodeId,
		...options.timing,
		...{ outcomeTimeoutMs, maxClockDrift },
		maxMessageBytes: limits.maxMessageBytes,
		maxInflightMessages: limits.maxInflightMessages,
		maxInflightBytes: limits.maxInflightBytes,
		maxUncommittedBytes: limits.maxUncommittedBytes,
		windowBytes: limits.windowBytes,
		random: Math.random,
	};
}

/**
 * Where to dial each member, the likeliest address first. Once the log names members it knows best, as addresses change
 * through it; but that of a node which was away, or only begins to read it, is old (P62): so what the operator wrote for
 * this node is tried, too. It counts first for founders, and for a node that waits to be added and has no log yet.
 */
export function addressesOf(
	configurations: readonly PlacedConfiguration[],
	written: Configuration,
): ReadonlyMap<string, readonly string[]> {
	const addresses = new Map<string, readonly string[]>();
	for (const { index, configuration } of configurations) {
		const members = index === 0 ? written : configuration;
		for (const id of membersOf(members)) {
			const logged = members.addresses[id]?.peer;
			const own = written.addresses[id]?.peer;
			const both = index <= 1 ? [own, logged] : [logged, own];
			const known = both.filter((address) => address !== undefined);
			if (known.length > 0) addresses.set(id, [...new Set(known)]);
		}
	}
	return addresses;
}
