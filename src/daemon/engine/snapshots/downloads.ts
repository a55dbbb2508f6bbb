import { reasonOf } from "../../../errors.js";
import type { Ready } from "../../../raft/types.js";
import type {
	SnapshotManifest,
	SnapshotStore,
} from "../../../storage/snapshots/snapshot-store.js";
import type { Diagnose } from "../../peers/complaints.js";

/** After a snapshot could not be fetched: so much later again, twice as late each time, at most the second. */
const firstRetryMs = 250;
const lastRetryMs = 10_000;

type Wanted = NonNullable<Ready["download"]>;

interface DownloadsOptions {
	readonly store: Pick<SnapshotStore, "list">;
	readonly diagnose: Diagnose;
	readonly nowMs: () => number;
	/** Fetches a file from a peer into the store; null when the peer has it no longer. */
	fetch(from: string, index: number): Promise<SnapshotManifest | null>;
	/** Why this node cannot use the snapshot; null when it can. */
	refuses(manifest: SnapshotManifest): string | null;
	/** It is here, durable and of use. */
	onFetched(manifest: SnapshotManifest): void;
	onFailed(): void;
}

/**
 * Fetches what the leader offers, one snapshot at a time. The leader says it again with every heartbeat, so nothing is
 * remembered here but when to try again.
 */
export class Downloads {
	readonly #options: DownloadsOptions;
	#underWay: Promise<void> | null = null;
	#retryMs = firstRetryMs;
	#nextMs = Number.NEGATIVE_INFINITY;
	/** The id of the one that was last found to be of no use. */
	#refused: string | null = null;

	constructor(options: DownloadsOptions) {
		this.#options = options;
	}

	wanted({ from, index }: Wanted): void {
		const { store, nowMs } = this.#options;
		if (this.#underWay !== null || nowMs() < this.#nextMs) return;
		const here = store.list().find((manifest) => manifest.index >= index);
		if (here === undefined) this.#underWay = this.#fetch(from, index);
		else this.#use(here);
	}

	/** Waits for the one under way, which whoever closes the links has ended. */
	async close(): Promise<void> {
		await this.#underWay;
	}

	async #fetch(from: string, index: number): Promise<void> {
		const { fetch, diagnose, onFailed } = this.#options;
		diagnose("info", "fetching a snapshot", { from, index });
		try {
			const manifest = await fetch(from, index);
			this.#underWay = null;
			if (manifest === null) this.#pause();
			else this.#use(manifest);
		} catch (error) {
			this.#underWay = null;
			this.#pause();
			onFailed();
			diagnose("warn", "a snapshot could not be fetched", {
				...{ from, index, reason: reasonOf(error) },
			});
		}
	}

	#use(manifest: SnapshotManifest): void {
		const { refuses, onFetched, diagnose } = this.#options;
		const { id, index } = manifest;
		const reason = refuses(manifest);
		if (reason === null) {
			this.#retryMs = firstRetryMs;
			onFetched(manifest);
			return;
		}
		this.#pause();
		if (this.#refused === id) return;
		this.#refused = id;
		diagnose("error", `the leader's snapshot is of no use here: ${reason}`, {
			...{ id, index },
		});
	}

	#pause(): void {
		this.#nextMs = this.#options.nowMs() + this.#retryMs;
		this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
	}
}
