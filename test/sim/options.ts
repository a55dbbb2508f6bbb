import type { RaftOptions } from "../../src/raft/types.js";
import { Random } from "./random.js";

export type WorldOptions = ReturnType<typeof optionsFor>;

/**
 * Everything that one seed decides before the run: sizes, timings, rates. Swarm style: each kind of fault is on in
 * about half of the seeds, because faults that are all on at once hide each other.
 */
export function optionsFor(seed: number) {
	const random = new Random(seed, 1);
	const electionTimeoutMs = Math.round(random.scaled(40, 1000));
	const heartbeatIntervalMs = Math.max(
		2,
		Math.round(electionTimeoutMs / random.between(3, 10)),
	);
	const leases = random.chance(0.5);
	const churn = random.chance(0.6);
	return {
		seed,
		voters: random.pick([1, 2, 3, 3, 3, 3, 4, 5, 5, 5]),
		learners: random.pick([0, 0, 1, 2]),
		electionTimeoutMs,
		heartbeatIntervalMs,
		maxClockDrift: leases ? random.between(0, 0.6) : 0.1,
		/** With leases clocks keep to the bound that the core is told of; without, they do what they like. */
		leases,
		tickMs: heartbeatIntervalMs / random.whole(1, 4),
		transferTimeoutMs: Math.round(electionTimeoutMs * random.scaled(0.1, 4)),
		diskStallMs: Math.round(electionTimeoutMs * random.between(0.5, 3)),
		outcomeTimeoutMs: Math.round(electionTimeoutMs * random.between(2, 8)),
		limits: limits(random),
		network: network(random, heartbeatIntervalMs, electionTimeoutMs),
		disk: disk(random, heartbeatIntervalMs, electionTimeoutMs),
		driver: driver(random, heartbeatIntervalMs, electionTimeoutMs),
		snapshots: snapshots(random, heartbeatIntervalMs),
		faults: faults(random, electionTimeoutMs, { churn, leases }),
		workload: workload(random, heartbeatIntervalMs, electionTimeoutMs),
		operator: operator(random, electionTimeoutMs, churn),
		/** After healing one disk goes back to what it held before, as that of a restored image does. */
		rollBack: random.chance(0.12),
		/** Messages and entries are frozen: nobody may change what others hold too. */
		frozen: random.chance(0.1),
	};
}

/** What the core of one node is told of this. */
export function raftOptions(
	options: WorldOptions,
	id: string,
	random: () => number,
): RaftOptions {
	return {
		id,
		electionTimeoutMs: options.electionTimeoutMs,
		heartbeatIntervalMs: options.heartbeatIntervalMs,
		maxClockDrift: options.maxClockDrift,
		transferTimeoutMs: options.transferTimeoutMs,
		diskStallMs: options.diskStallMs,
		outcomeTimeoutMs: options.outcomeTimeoutMs,
		...options.limits,
		random,
	};
}

function limits(random: Random) {
	const small = random.chance(0.6);
	return {
		maxMessageBytes: Math.round(random.scaled(32, small ? 512 : 16_384)),
		maxInflightMessages: small ? random.whole(1, 4) : random.whole(4, 64),
		maxInflightBytes: Math.round(random.scaled(64, small ? 1024 : 65_536)),
		maxUncommittedBytes: Math.round(random.scaled(256, small ? 2048 : 65_536)),
		windowBytes: Math.round(random.scaled(16, small ? 512 : 65_536)),
	};
}

function network(random: Random, beatMs: number, electionMs: number) {
	const on = (probability: number) => random.chance(probability);
	return {
		baseMs: beatMs * random.scaled(0.005, 0.3),
		jitterMs: beatMs * random.scaled(0.005, on(0.3) ? 1 : 0.1),
		slowChance: on(0.5) ? random.scaled(0.001, 0.1) : 0,
		slowMs: electionMs * random.scaled(0.5, 20),
		dropChance: on(0.5) ? random.scaled(0.001, 0.2) : 0,
		duplicateChance: on(0.5) ? random.scaled(0.001, 0.2) : 0,
		fifo: on(0.4),
		/** How often the sender is told that a message did not get through. */
		reportChance: on(0.7) ? random.next() : 0,
	};
}

function disk(random: Random, beatMs: number, electionMs: number) {
	return {
		baseMs: beatMs * random.scaled(0.001, 0.3),
		jitterMs: beatMs * random.scaled(0.001, 0.5),
		slowChance: random.chance(0.4) ? random.scaled(0.001, 0.05) : 0,
		slowMs: electionMs * random.between(0.2, 1.5),
		groupChance: random.chance(0.5) ? random.next() : 0,
	};
}

function driver(random: Random, beatMs: number, electionMs: number) {
	return {
		/** 0: each input is handled at once. Else: inputs gather for up to this long. */
		turnMs: random.chance(0.5) ? 0 : beatMs * random.scaled(0.001, 0.2),
		applyMs: random.chance(0.5) ? 0 : beatMs * random.scaled(0.01, 3),
		fetchMs: beatMs * random.scaled(0.01, 1),
		fetchFailChance: random.chance(0.5) ? random.scaled(0.01, 0.5) : 0,
		fetchWrongChance: random.chance(0.3) ? random.scaled(0.01, 0.3) : 0,
		fetchPartialChance: random.chance(0.5) ? random.next() : 0,
		/** How often a restart finds the machine's own state, instead of starting it empty. */
		durableMachineChance: random.next(),
		/** Whether every write is reported, or only the last of those that were done together. */
		reportEachWrite: random.chance(0.5),
		pauseTickFirst: random.chance(0.5),
		electionMs,
	};
}

function snapshots(random: Random, beatMs: number) {
	return {
		/** How many applied entries lie between two; 0 for never. */
		everyEntries: random.chance(0.85) ? Math.round(random.scaled(6, 120)) : 0,
		saveMs: beatMs * random.scaled(0.01, 5),
		restoreMs: beatMs * random.scaled(0.01, 30),
		/** Until the old segments of a log are gone. */
		compactMs: beatMs * random.scaled(0.1, 5),
		/** How many entries a segment holds: the log goes in such pieces. */
		segmentEntries: random.pick([1, 1, 4, 16]),
		/** Beyond this nobody is waited for (P47). */
		maxLogBytes: Math.round(random.scaled(256, 16_384)),
		chunks: random.whole(1, 6),
		chunkMs: beatMs * random.scaled(0.01, 4),
		breakChance: random.chance(0.5) ? random.scaled(0.01, 0.3) : 0,
		/** How often a download that has ended is handed in once more, and begun once more. */
		againChance: random.chance(0.5) ? random.next() : 0,
		againMs: beatMs * random.scaled(0.1, 40),
	};
}

function operator(random: Random, electionMs: number, churn: boolean) {
	return {
		changeMs: churn ? electionMs * random.scaled(0.2, 4) : 0,
		maxVoters: 7,
		maxMembers: 9,
		/** How long a node that was removed, or was never added, goes on running. */
		strangerMs: electionMs * random.scaled(2, 30),
		/** How often one that is to be added comes up late, or never. */
		lateChance: random.chance(0.5) ? random.next() * 0.5 : 0,
		carelessChance: random.chance(0.5) ? random.next() * 0.5 : 0,
		/** How often who was removed just now is added again at once. */
		readmitChance: random.chance(0.7) ? random.next() : 0,
		raiseMs: random.chance(0.4) ? electionMs * random.scaled(5, 60) : 0,
	};
}

function faults(
	random: Random,
	electionMs: number,
	{ churn, leases }: { readonly churn: boolean; readonly leases: boolean },
) {
	const weight = () => (random.chance(0.5) ? random.between(0.2, 1) : 0);
	return {
		meanMs: electionMs * random.scaled(0.3, 6),
		lastsMs: electionMs * random.scaled(0.2, 5),
		/** How often a node that crashed is back almost at once, while what it said is still under way. */
		quickRestartChance: random.next(),
		/** A crash soon after a write was handed in: where the danger is. */
		crashOnWriteChance: random.chance(0.4) ? random.scaled(0.0005, 0.03) : 0,
		/** A crash soon after entries had to make room for others. */
		crashOnCutChance: random.chance(0.5) ? random.next() : 0,
		/** A crash soon after a snapshot came, while the log does not know of it (P17). */
		crashOnSnapshotChance: random.chance(0.4) ? random.next() * 0.3 : 0,
		/** How often a joint configuration is lain in wait for (P23). */
		ambushChance: random.chance(0.8) ? random.between(0.2, 1) : 0,
		/** How far apart plots against leaders are; 0 for none. Leases are worth more of them than anything else. */
		deposeMs: random.chance(leases ? 0.8 : 0.4)
			? electionMs * random.scaled(4, 30)
			: 0,
		lateTransferMs: random.chance(0.7) ? electionMs * random.scaled(2, 20) : 0,
		lastWordMs:
			churn && random.chance(0.6) ? electionMs * random.scaled(4, 30) : 0,
		weights: {
			crash: weight(),
			powerLoss: weight() * 0.3,
			partition: weight(),
			oneWay: weight(),
			bridge: weight() * 0.5,
			isolate: weight(),
			pause: weight(),
			diskStall: weight(),
			slowDisk: weight(),
			clock: weight(),
			fsyncError: weight(),
			fullDisk: weight() * 0.3,
			corrupt: weight() * 0.4,
			wipe: churn ? weight() * 0.3 : 0,
			lag: weight(),
		},
	};
}

function workload(random: Random, beatMs: number, electionMs: number) {
	return {
		proposeMs: beatMs * random.scaled(0.1, 8),
		maxBatch: random.pick([1, 1, 4, 16]),
		maxPaddingBytes: random.pick([0, 16, 200]),
		readMs: random.chance(0.8) ? beatMs * random.scaled(0.2, 10) : 0,
		leaseMs: beatMs * random.scaled(0.2, 4),
		/** How long an answer under a lease takes to get out; the process may stand still meanwhile. */
		leaseAnswerMs: beatMs * random.scaled(0.001, 3),
		transferMs: random.chance(0.75) ? electionMs * random.scaled(0.5, 10) : 0,
		sessionClients: random.chance(0.6) ? random.whole(1, 4) : 0,
		sessionMs: beatMs * random.scaled(0.4, 10),
		sessionTtlMs: Math.ceil(electionMs * random.scaled(3, 200)),
		/** How often a read goes to any node, leader or not. */
		readAnywhereChance: random.next(),
		/** How often a client goes straight to a node that believes that it leads. */
		knowsLeaderChance: random.between(0.6, 1),
		keys: 8,
	};
}
