import type { PlacedConfiguration } from "../../raft/types.js";

/** What a snapshot says of itself before its content (docs/formats.md). */
export interface SnapshotDescription {
	readonly clusterId: string;
	/** The state after this entry. */
	readonly index: number;
	readonly term: number;
	/** The configuration committed by then, and the index of its entry. */
	readonly configuration: PlacedConfiguration;
	/** The machine's name. */
	readonly machine: string;
	/** A release that reads entries of this level can read the content. */
	readonly level: number;
	/** The release that wrote it. */
	readonly release: string;
	readonly createdAtMs: number;
}

export interface SnapshotManifest extends SnapshotDescription {
	/** Tells this file from any other, also from another node's snapshot at the same index. Hexadecimal. */
	readonly id: string;
	readonly contentBytes: number;
	/** Of the content, in lower-case hexadecimal. */
	readonly sha256: string;
	/** The whole file, header and manifest included. */
	readonly fileBytes: number;
}

/**
 * The snapshots of one node, on a thread of their own: hashing and fsync of hundreds of megabytes must hold up neither
 * commands nor the log. A file is whole or it is not there: written under a temporary name, synced, renamed, directory
 * synced (P15, P17).
 */
export interface SnapshotStore {
	/** Newest first. Only headers and manifests were checked, not the content. */
	list(): readonly SnapshotManifest[];
	/** Begins a file. One at a time; a temporary one that was left behind is dropped. */
	create(description: SnapshotDescription): Promise<SnapshotWriter>;
	/** The content, chunk by chunk, each checked. Rejects with an OperatorError that names file and offset. */
	read(index: number): AsyncIterable<Uint8Array>;
	/** The raw file for another node; it is not removed before `close`. Null when there is no such snapshot. */
	open(index: number): Promise<SnapshotFile | null>;
	/**
	 * Takes another node's file in pieces, in order. What an earlier attempt for the same id left is checked chunk by
	 * chunk, and goes on behind its last good one.
	 */
	receive(incoming: {
		readonly id: string;
		readonly index: number;
		readonly fileBytes: number;
	}): Promise<SnapshotReceiver>;
	/** Removes all but the newest `keep`, and those that are open. */
	prune(keep: number): Promise<void>;
	close(): Promise<void>;
}

export interface SnapshotWriter {
	/** Resolves when there is room for more. The bytes are taken over: the caller must not touch them again. */
	write(bytes: Uint8Array): Promise<void>;
	/** Durable on return, and listed. */
	finish(): Promise<SnapshotManifest>;
	abort(): Promise<void>;
}

export interface SnapshotFile {
	readonly manifest: SnapshotManifest;
	/** At most `length` bytes from `offset` on; fewer only at the end. */
	readAt(offset: number, length: number): Promise<Uint8Array>;
	close(): Promise<void>;
}

export interface SnapshotReceiver {
	/** Where to go on: everything before it is here and was checked. */
	readonly offset: number;
	/** Rejects with an OperatorError at the first chunk whose checksum is wrong. The bytes are taken over. */
	write(bytes: Uint8Array): Promise<void>;
	/** Checks the whole file: checksums, hash, cluster. Durable on return, and listed. Rejects, and drops it, otherwise. */
	finish(): Promise<SnapshotManifest>;
	/** Gives up for now; what is here stays for the next attempt. */
	suspend(): Promise<void>;
}
