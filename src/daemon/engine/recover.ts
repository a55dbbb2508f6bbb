import { join } from "node:path";
import { OperatorError } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import type {
	Configuration,
	Restored,
	SnapshotPoint,
} from "../../raft/types.js";
import type { LogStorage, RecoveredLog } from "../../storage/log-storage.js";
import { openLogStorage } from "../../storage/open.js";
import { openSnapshotStore } from "../../storage/snapshots/open.js";
import type { SnapshotStore } from "../../storage/snapshots/snapshot-store.js";
import type { Diagnose } from "../peers/complaints.js";
import type { PeerIdentity } from "../peers/handshake.js";
import type { Limits } from "./limits.js";
import {
	alignmentOf,
	foundLog,
	misaligned,
	resetLog,
	restore,
} from "./replay.js";
import { ReplicatedState } from "./replicated-state.js";
import { loadNewest } from "./snapshots/load.js";

export interface RecoverOptions {
	readonly identity: PeerIdentity;
	readonly initial: Configuration;
	/** An empty log is not founded: this node waits for a leader to add it. */
	readonly joins: boolean;
	readonly dataDirectory: string;
	readonly limits: Limits;
	readonly machine: Machine;
	readonly diagnose: Diagnose;
	/** Another way to open the log, for a test of a disk that fails. */
	readonly openLog?: typeof openLogStorage;
	/** The same for the snapshots. */
	readonly openStore?: typeof openSnapshotStore;
}

/** A node as its disk knows it. */
export interface Recovered {
	readonly log: LogStorage;
	readonly store: SnapshotStore;
	readonly state: ReplicatedState;
	readonly restored: Restored;
	/** From now on `listener` is told of writes that are durable, and of the disk's failure. */
	listen(listener: LogListener): void;
}

interface LogListener {
	durable(sequence: number): void;
	fail(error: Error): void;
}

/** Opens log and snapshots, or founds the log, and brings the state machine to where the log knows it was. */
export async function recover(options: RecoverOptions): Promise<Recovered> {
	const { identity, limits, diagnose } = options;
	const openLog = options.openLog ?? openLogStorage;
	const relay = new Relay();
	const place = { clusterId: identity.clusterId, nodeId: identity.nodeId };
	const { log, recovered } = await openLog(
		{
			...place,
			directory: join(options.dataDirectory, "wal"),
			segmentBytes: limits.segmentBytes,
		},
		{
			onDurable: (sequence) => relay.durable(sequence),
			onFailure: (error) => relay.fail(error),
		},
	);
	let store: SnapshotStore | null = null;
	try {
		if (recovered.repaired !== null)
			diagnose("warn", "cut off the torn end of the log", recovered.repaired);
		const openStore = options.openStore ?? openSnapshotStore;
		const opened = await openStore({
			...place,
			directory: join(options.dataDirectory, "snapshots"),
		});
		store = opened.store;
		for (const what of opened.repaired) diagnose("warn", what);
		return await rebuild(options, { log, recovered, store, relay });
	} catch (error) {
		await store?.close();
		await log.close();
		throw error;
	}
}

/** The state from the snapshot, and from the log what came since. */
async function rebuild(
	{ identity, initial, joins, limits, machine, diagnose }: RecoverOptions,
	found: {
		readonly log: LogStorage;
		readonly recovered: RecoveredLog;
		readonly store: SnapshotStore;
		readonly relay: Relay;
	},
): Promise<Recovered> {
	const { log, store, relay } = found;
	const state = new ReplicatedState(machine, limits);
	const snapshot = await loadNewest(store, state, {
		...{ node: identity.nodeId, machine: machine.name, diagnose },
	});
	const recovered = await settleLog(found, snapshot, {
		node: identity.nodeId,
		initial: joins ? null : initial,
	});
	const restored = await restore(log, { recovered, snapshot }, state);
	refuseUnreadable(state, identity.nodeId);
	return { log, store, state, restored, listen: (to) => relay.connect(to) };
}

/** What the log holds once it is founded, or in line with the snapshot; durable. */
async function settleLog(
	found: {
		readonly log: LogStorage;
		readonly recovered: RecoveredLog;
		readonly relay: Relay;
	},
	snapshot: SnapshotPoint | null,
	founding: { readonly node: string; readonly initial: Configuration | null },
): Promise<RecoveredLog> {
	const { log, recovered, relay } = found;
	const { node, initial } = founding;
	const alignment = alignmentOf(recovered, snapshot);
	if (alignment === "damaged") throw misaligned(recovered, snapshot, node);
	const isEmpty = recovered.lastIndex === 0 && snapshot === null;
	let settled = recovered;
	if (alignment === "reset" && snapshot !== null)
		settled = resetLog(log, recovered, snapshot);
	else if (isEmpty && initial !== null) settled = foundLog(log, initial);
	if (settled !== recovered) await relay.firstWrite;
	return settled;
}

/** A binary that cannot read what the cluster writes must not join in (P61). */
function refuseUnreadable(state: ReplicatedState, node: string): void {
	const reason = state.unreadableBecause();
	if (reason === null) return;
	throw new OperatorError("refused", reason, {
		node,
		state: "the node has not started and nothing was changed",
		next: "install the release that is named, or a later one, and start the node again",
	});
}

/** The log needs to know whom to tell before there is anybody. */
class Relay {
	readonly firstWrite: Promise<void>;
	#written: () => void = () => {};
	#failed: (error: Error) => void = () => {};
	#listener: LogListener | null = null;
	#failure: Error | null = null;

	constructor() {
		this.firstWrite = new Promise((resolve, reject) => {
			this.#written = resolve;
			this.#failed = reject;
		});
		// Nobody waits for it when the log is not founded now.
		this.firstWrite.catch(() => {});
	}

	durable(sequence: number): void {
		this.#written();
		this.#listener?.durable(sequence);
	}

	/** Kept for whoever listens later: a node must not start on a disk that has failed (P11). */
	fail(error: Error): void {
		this.#failure = error;
		this.#failed(error);
		this.#listener?.fail(error);
	}

	connect(listener: LogListener): void {
		this.#listener = listener;
		if (this.#failure !== null) listener.fail(this.#failure);
	}
}
