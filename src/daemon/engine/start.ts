import type { Machine } from "../../machines/machine.js";
import { foundingLevel } from "../../raft/bootstrap.js";
import { membersOf } from "../../raft/configurations.js";
import { Raft } from "../../raft/raft.js";
import {
	type Configuration,
	EntryKind,
	type RaftOptions,
} from "../../raft/types.js";
import type { Diagnose } from "../peers/complaints.js";
import type { Incarnations, PeerIdentity } from "../peers/handshake.js";
import { Peers } from "../peers/peers.js";
import { overloaded, rejected } from "./admission.js";
import { Applier } from "./applier.js";
import { Commands } from "./commands.js";
import { Driver } from "./driver.js";
import { Effects } from "./effects.js";
import { zeroCounters } from "./engine-stats.js";
import { LeaderWatch } from "./leader-watch.js";
import { type Limits, limitsFrom } from "./limits.js";
import { NodeReplica } from "./node-replica.js";
import { Reads } from "./reads.js";
import { type Recovered, type RecoverOptions, recover } from "./recover.js";
import { Transfers } from "./transfers.js";

export interface ReplicaOptions extends Pick<RecoverOptions, "openLog"> {
	readonly identity: PeerIdentity;
	/** The members of a cluster that is founded now; a log that exists knows its own. Addresses here win over the log's. */
	readonly initial: Configuration;
	/** Absolute, and locked by the caller. The log lies in wal/. */
	readonly dataDirectory: string;
	/** "host:port" */
	readonly peerListen: string;
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
		return new NodeReplica(driver, options.diagnose);
	} catch (error) {
		await recovered.log.close();
		throw error;
	}
}

function assemble(
	options: ReplicaOptions,
	limits: Limits,
	{ log, state, restored, listen }: Recovered,
): Driver {
	const { diagnose, timing, initial, onFatal } = options;
	const nowMs = () => performance.now();
	const raft = new Raft(raftOptions(options, limits), restored, nowMs());
	const counters = zeroCounters();
	const peers = makePeers(options, limits, () => driver);
	const isConnected = (peer: string) => peers.isConnected(peer);
	const effects = new Effects({
		...{ raft, log, peers, counters, diagnose },
		maxMessageBytes: limits.maxMessageBytes,
		later(work) {
			driver.guard(work);
			driver.wake();
		},
	});
	const commands = new Commands({
		...{ limits, peers, nowMs, counters },
		propose: (kind, bytes, firstToken) => {
			const level = kind === EntryKind.command ? state.level : foundingLevel;
			return raft.propose({ kind, level, commands: bytes, firstToken });
		},
		refuses: (command) => {
			if (applier.waitingBytes > limits.maxApplyLagBytes)
				return overloaded("it has not executed yet what is committed");
			const mistake = state.refuses(command);
			return mistake === null ? null : rejected("invalid", mistake);
		},
	});
	const reads = new Reads({
		...{ nowMs, isConnected, counters },
		maxPending: limits.maxPendingReads,
		maxPendingBytes: limits.maxPendingReadBytes,
		readIndex: (token) => raft.readIndex(token),
		query: (query) => state.query(query),
		applied: () => state.applied,
	});
	const applier = new Applier({
		...{ state, log },
		onExecuted: (index, result) => commands.executed(index, result),
		onLoaded: () => driver.wake(),
		onUnreadable: (error) => driver.fail(error),
	});
	const driver = new Driver({
		...{ raft, diagnose, onFatal },
		parts: {
			...{ limits, log, peers, state, applier, effects, commands, reads },
			...{ counters, transfers: new Transfers(), watch: new LeaderWatch() },
		},
		tickIntervalMs: Math.max(
			1,
			Math.min(
				timing.heartbeatIntervalMs / ticksPerHeartbeat,
				maxTickIntervalMs,
			),
		),
		onChanged: ({ configuration }) =>
			peers.setMembers(addressesOf(configuration, initial)),
	});
	listen(driver);
	return driver;
}

function makePeers(
	options: ReplicaOptions,
	limits: Limits,
	driver: () => Driver,
): Peers {
	const { identity, incarnations, diagnose, peerListen } = options;
	return new Peers({
		...{ self: identity, listen: peerListen, incarnations, diagnose },
		maxQueuedBytes: limits.maxPeerQueueBytes,
		events: {
			onMessage: (message, block) => driver().receive(message, block),
			onForward: (peer, link, frame) =>
				driver().input(({ commands }) =>
					commands.acceptForwarded({ peer, link }, frame),
				),
			onOutcomes: (from, frame) =>
				driver().input(({ commands }) => commands.takeOutcomes(from, frame)),
			onConnected: () => driver().wake(),
			onBroken: (peer, direction) => driver().peerBroken(peer, direction),
		},
	});
}

function raftOptions(options: ReplicaOptions, limits: Limits): RaftOptions {
	return {
		id: options.identity.nodeId,
		...options.timing,
		outcomeTimeoutMs,
		maxMessageBytes: limits.maxMessageBytes,
		maxInflightMessages: limits.maxInflightMessages,
		maxInflightBytes: limits.maxInflightBytes,
		maxUncommittedBytes: limits.maxUncommittedBytes,
		windowBytes: limits.windowBytes,
		random: Math.random,
	};
}

/** Where to dial each member. What the operator wrote for this node is newer than what the log remembers. */
function addressesOf(
	configuration: Configuration,
	written: Configuration,
): ReadonlyMap<string, string> {
	return new Map(
		membersOf(configuration).flatMap((id) => {
			const address = written.addresses[id] ?? configuration.addresses[id];
			return address === undefined ? [] : [[id, address.peer] as const];
		}),
	);
}
