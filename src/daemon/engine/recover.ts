import { join } from "node:path";
import type { Machine } from "../../machines/machine.js";
import type { Configuration, Restored } from "../../raft/types.js";
import type { LogStorage } from "../../storage/log-storage.js";
import { openLogStorage } from "../../storage/open.js";
import type { Diagnose } from "../peers/complaints.js";
import type { PeerIdentity } from "../peers/handshake.js";
import type { Limits } from "./limits.js";
import { foundLog, restore } from "./replay.js";
import { ReplicatedState } from "./replicated-state.js";

export interface RecoverOptions {
	readonly identity: PeerIdentity;
	readonly initial: Configuration;
	readonly dataDirectory: string;
	readonly limits: Limits;
	readonly machine: Machine;
	readonly diagnose: Diagnose;
	/** Another way to open the log, for a test of a disk that fails. */
	readonly openLog?: typeof openLogStorage;
}

/** A node as its disk knows it. */
export interface Recovered {
	readonly log: LogStorage;
	readonly state: ReplicatedState;
	readonly restored: Restored;
	/** From now on `listener` is told of writes that are durable, and of the disk's failure. */
	listen(listener: LogListener): void;
}

interface LogListener {
	durable(sequence: number): void;
	fail(error: Error): void;
}

/** Opens the log or founds it, and brings the state machine to where the log knows it was. */
export async function recover(options: RecoverOptions): Promise<Recovered> {
	const { identity, initial, limits, machine, diagnose } = options;
	const openLog = options.openLog ?? openLogStorage;
	const relay = new Relay();
	const { log, recovered } = await openLog(
		{
			directory: join(options.dataDirectory, "wal"),
			clusterId: identity.clusterId,
			nodeId: identity.nodeId,
			segmentBytes: limits.segmentBytes,
		},
		{
			onDurable: (sequence) => relay.durable(sequence),
			onFailure: (error) => relay.fail(error),
		},
	);
	try {
		if (recovered.repaired !== null)
			diagnose("warn", "cut off the torn end of the log", recovered.repaired);
		const found = recovered.lastIndex === 0;
		const known = found ? foundLog(log, initial) : recovered;
		if (found) await relay.firstWrite;
		const state = new ReplicatedState(machine, limits);
		const restored = await restore(log, known, state);
		return { log, state, restored, listen: (to) => relay.connect(to) };
	} catch (error) {
		await log.close();
		throw error;
	}
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
