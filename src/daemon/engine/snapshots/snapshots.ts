import { reasonOf } from "../../../errors.js";
import type { Raft } from "../../../raft/raft.js";
import type { Ready, SnapshotPoint } from "../../../raft/types.js";
import type { LogStorage } from "../../../storage/log-storage.js";
import type {
	SnapshotManifest,
	SnapshotStore,
} from "../../../storage/snapshots/snapshot-store.js";
import type { Diagnose } from "../../peers/complaints.js";
import type { SnapshotOutcome } from "../../replica.js";
import type { Limits } from "../limits.js";
import type { ReplicatedState } from "../replicated-state.js";
import { Downloads } from "./downloads.js";
import { loadSnapshot, pointOf } from "./load.js";
import { saveSnapshot } from "./saver.js";
import { compactableTo, isSnapshotDue, unhurriedPace } from "./schedule.js";

/** The newest, and one to fall back on. */
const kept = 2;
const retentionIntervalMs = 1000;
/** After a snapshot could not be taken, so much later again. */
const retryMs = 10_000;

interface SnapshotsOptions {
	readonly raft: Raft;
	readonly log: LogStorage;
	readonly store: SnapshotStore;
	readonly state: ReplicatedState;
	readonly limits: Limits;
	readonly clusterId: string;
	readonly machine: string;
	readonly release: string;
	readonly counters: SnapshotCounters;
	readonly diagnose: Diagnose;
	readonly nowMs: () => number;
	/** Fetches a file from a peer into the store. */
	fetch(from: string, index: number): Promise<SnapshotManifest | null>;
	/** Runs `work` on the core, unless the node has stopped; a pass follows. */
	later(work: () => void): void;
	/** The state was replaced by the snapshot at `index`. */
	onRestored(index: number): void;
	/** The state cannot be brought to what is committed. */
	onFatal(error: Error): void;
}

export interface SnapshotCounters {
	snapshotsTaken: number;
	snapshotsFailed: number;
	snapshotsInstalled: number;
	snapshotFetchesFailed: number;
}

/**
 * This node's snapshots: taken when the log has grown, fetched when the leader's log no longer reaches back far enough,
 * and the log compacted behind them. One is taken, and one fetched, at a time.
 */
export class Snapshots {
	readonly #options: SnapshotsOptions;
	readonly #spread = Math.random();
	readonly #downloads: Downloads;
	#saving = false;
	#restoring = false;
	#closed = false;
	#bytesSince = 0;
	/** When the newest was begun, or this node was. */
	#sinceMs: number;
	#retryAtMs = 0;
	#nextRetentionMs = 0;
	#waiting: ((outcome: SnapshotOutcome) => void)[] = [];
	#work: Promise<void> = Promise.resolve();

	constructor(options: SnapshotsOptions) {
		this.#options = options;
		this.#sinceMs = options.nowMs();
		this.#downloads = new Downloads({
			...options,
			refuses: (manifest) => this.#refuses(manifest),
			onFetched: (manifest) => this.#fetched(manifest),
			onFailed: () => options.counters.snapshotFetchesFailed++,
		});
	}

	/** While this lasts, nothing may be applied: the state is being replaced (P46). */
	get isRestoring(): boolean {
		return this.#restoring;
	}

	/** The files, for whoever shows or copies them. */
	get files(): Pick<SnapshotStore, "list" | "open"> {
		return this.#options.store;
	}

	/** So many bytes of entries were applied. */
	applied(bytes: number): void {
		this.#bytesSince += bytes;
	}

	tick(nowMs: number): void {
		if (this.#isDue(nowMs)) this.#take();
		if (nowMs < this.#nextRetentionMs) return;
		this.#nextRetentionMs = nowMs + retentionIntervalMs;
		this.#compact();
	}

	#isDue(nowMs: number): boolean {
		const { state, store, limits } = this.#options;
		if (this.#saving || this.#restoring || nowMs < this.#retryAtMs)
			return false;
		if (state.failure !== null) return false;
		const newest = store.list()[0];
		return isSnapshotDue(
			{
				entriesSince: state.applied - (newest?.index ?? 0),
				bytesSince: this.#bytesSince,
				lastFileBytes: newest?.fileBytes ?? 0,
			},
			limits,
			this.#spread,
		);
	}

	/** Takes one now, or waits for the one that is being taken. */
	take(done: (outcome: SnapshotOutcome) => void): void {
		const { state, store } = this.#options;
		const newest = store.list()[0];
		if (state.failure !== null)
			done({ kind: "failed", message: state.failure });
		else if (this.#restoring || this.#closed)
			done({ kind: "failed", message: "the node is restoring or stopping" });
		else if (!this.#saving && newest?.index === state.applied)
			done({ kind: "taken", index: newest.index });
		else {
			this.#waiting.push(done);
			if (!this.#saving) this.#take();
		}
	}

	#take(): void {
		const nowMs = this.#options.nowMs();
		const pace = unhurriedPace(
			this.#bytesSince,
			nowMs - this.#sinceMs,
			this.#options.limits.maxSnapshotBytesPerSecond,
		);
		this.#saving = true;
		this.#bytesSince = 0;
		this.#sinceMs = nowMs;
		this.#work = this.#save(pace).then(
			(manifest) => this.#saved(manifest),
			(error) => this.#notSaved(reasonOf(error)),
		);
	}

	/** `pace` is for as long as nobody waits for it. */
	async #save(pace: number): Promise<SnapshotManifest> {
		const { raft, store, state, limits, clusterId, machine, release } =
			this.#options;
		if (state.applied === 0) throw new Error("there is nothing yet to keep");
		const { index, chunks } = state.snapshot();
		const { term, configuration } = raft.pointAt(index);
		return await saveSnapshot(
			store,
			{
				...{ clusterId, index, term, configuration, machine, release },
				...{ level: state.writeLevel, createdAtMs: Date.now() },
			},
			{
				chunks,
				bytesPerSecond: () =>
					this.#waiting.length > 0 ? limits.maxSnapshotBytesPerSecond : pace,
				isCancelled: () => this.#closed,
			},
		);
	}

	#saved(manifest: SnapshotManifest): void {
		const { counters, diagnose, later, raft } = this.#options;
		this.#saving = false;
		counters.snapshotsTaken++;
		const { index, fileBytes } = manifest;
		diagnose("info", "snapshot taken", { index, bytes: fileBytes });
		later(() => raft.snapshotSaved(pointOf(manifest)));
		this.#prune();
		this.#settle({ kind: "taken", index });
	}

	/** The node goes on without: its log grows until the next attempt. */
	#notSaved(message: string): void {
		const { counters, diagnose, nowMs } = this.#options;
		this.#saving = false;
		this.#retryAtMs = nowMs() + retryMs;
		if (!this.#closed) {
			counters.snapshotsFailed++;
			diagnose("error", "no snapshot could be taken", { reason: message });
		}
		this.#settle({ kind: "failed", message });
	}

	#settle(outcome: SnapshotOutcome): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const done of waiting) done(outcome);
	}

	#prune(): void {
		const { store, diagnose } = this.#options;
		store.prune(kept).catch((error) =>
			diagnose("error", "old snapshots could not be removed", {
				reason: reasonOf(error),
			}),
		);
	}

	/** Lets the log go up to where nobody needs it. */
	#compact(): void {
		const { raft, log, store, limits } = this.#options;
		const [newest, older] = store.list();
		if (newest === undefined || this.#restoring) return;
		const to = compactableTo({
			newest: newest.index,
			older: older?.index ?? newest.index,
			neededFrom: raft.neededFrom(),
			bytesHeld: log.stats().bytesHeld,
			maxBytesHeld: limits.maxLogBytes,
		});
		const { applied, firstIndex, snapshotIndex } = raft.status();
		const index = Math.min(to, applied, snapshotIndex);
		if (index < firstIndex) return;
		log.compact(index);
		raft.compact(index);
	}

	/** The leader's log begins behind what this node needs. */
	download(wanted: NonNullable<Ready["download"]>): void {
		if (!this.#restoring && !this.#closed) this.#downloads.wanted(wanted);
	}

	/** Once it is installed there is no way back: the log is gone that held what was before. */
	#refuses({ machine, level }: SnapshotManifest): string | null {
		const { machine: own, state } = this.#options;
		const { readsFrom, readsTo } = state.levels;
		if (machine !== own)
			return `it is of machine ${machine}, this node runs ${own}`;
		return level < readsFrom || level > readsTo
			? `it is of level ${level}, this release reads ${readsFrom} to ${readsTo}`
			: null;
	}

	#fetched(manifest: SnapshotManifest): void {
		const { later, raft, counters } = this.#options;
		later(() => {
			if (!raft.install(pointOf(manifest))) return;
			counters.snapshotsInstalled++;
			this.#prune();
		});
	}

	/** Replaces the state by a snapshot that was installed. */
	restore(point: SnapshotPoint): void {
		const { store, state, diagnose, later, onRestored, onFatal } =
			this.#options;
		this.#restoring = true;
		this.#bytesSince = 0;
		loadSnapshot(store, point.index, state).then(
			() => {
				this.#restoring = false;
				diagnose("info", "snapshot installed", { index: point.index });
				later(() => onRestored(point.index));
			},
			// The log was reset to it: without it this node knows nothing of what is committed.
			(error) => onFatal(error instanceof Error ? error : new Error(error)),
		);
	}

	/** Gives up what is under way, and releases everything. */
	async close(): Promise<void> {
		this.#closed = true;
		await this.#work;
		await this.#downloads.close();
		await this.#options.store.close();
	}
}
