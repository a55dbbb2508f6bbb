import { join } from "node:path";
import { OperatorError } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import type { Configuration, SnapshotPoint } from "../../raft/types.js";
import { realDisk } from "../../storage/real-disk.js";
import { SnapshotDirectory } from "../../storage/snapshots/directory.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "../../storage/snapshots/snapshot-store.js";
import { openWal } from "../../storage/wal.js";
import type { NodeConfig } from "../config.js";
import { limitsFrom } from "../engine/limits.js";
import { foundingConfiguration } from "../founding-configuration.js";
import { openIdentity } from "../identity.js";
import { requireFitting } from "./fitting-machine.js";
import {
	type Dropped,
	droppedFrom,
	restoredContent,
} from "./restored-state.js";
import { SnapshotOnDisk } from "./snapshot-file.js";
import { makeWhole, requireEmpty } from "./staging.js";
import { loadParts } from "./state-copies.js";

/** What `raftd snapshot restore --json` prints (docs/raftd.md). */
export interface RestoreReport {
	readonly version: 1;
	/** Absolute. */
	readonly file: string;
	readonly directory: string;
	readonly node: string;
	readonly clusterId: string;
	readonly incarnation: string;
	/** Where the new cluster's log begins. */
	readonly index: number;
	readonly term: number;
	readonly configuration: Configuration;
	/** Of the content: the same on every node that is restored from this file for the same cluster. */
	readonly sha256: string;
	readonly from: {
		readonly clusterId: string;
		readonly index: number;
		readonly term: number;
	};
	readonly dropped: Dropped;
}

interface RestoreOptions {
	readonly config: NodeConfig;
	readonly machine: Machine;
	readonly release: string;
	/** The new cluster's log begins so far behind the old one's index: whatever a client has seen is below it. */
	readonly indexBump: number;
}

/** As everywhere on the disk (P70). */
const maxIndex = 2 ** 48 - 1;

/**
 * Makes the data directory of a node of a new cluster from a snapshot's file: with the new cluster's id and members, a
 * new incarnation, and the machine's state as it was. Nodes that are restored from one file for the same members are as
 * if they had founded the cluster together at that index: none has anything that another lacks. Throws OperatorError
 * "refused" before anything is changed.
 */
export async function restoreSnapshot(
	path: string,
	options: RestoreOptions,
): Promise<RestoreReport> {
	const { config, machine, release, indexBump } = options;
	const file = new SnapshotOnDisk(path);
	const manifest = file.manifest();
	requireFitting(file.path, manifest, machine);
	requireNewCluster(file.path, manifest, config);
	requireEmpty(config.data);
	const index = manifest.index + indexBump;
	if (index > maxIndex) throw tooFar(manifest.index, indexBump);
	const parts = await loadParts(file, manifest, machine);
	const { level, chunks } = restoredContent(parts, index, machine);
	const configuration = foundingConfiguration(config);
	const description: SnapshotDescription = {
		...{ clusterId: config.cluster.id, index, term: manifest.term + 1 },
		configuration: { index, configuration },
		...{ machine: machine.name, level, release, createdAtMs: Date.now() },
	};
	const made = await makeWhole(config.data, async (directory) =>
		fill(directory, config, { description, chunks }),
	);
	const { clusterId, term } = description;
	return {
		...{ version: 1, file: file.path, directory: config.data },
		...{ node: config.node, clusterId, index, term, configuration, ...made },
		from: {
			...{ clusterId: manifest.clusterId, index: manifest.index },
			term: manifest.term,
		},
		dropped: droppedFrom(parts.control),
	};
}

/** All that a node of the new cluster has at first; durable on return. */
function fill(
	directory: string,
	config: NodeConfig,
	snapshot: {
		readonly description: SnapshotDescription;
		readonly chunks: Iterator<Uint8Array>;
	},
): { readonly incarnation: string; readonly sha256: string } {
	const place = { clusterId: config.cluster.id, nodeId: config.node };
	const identity = openIdentity({ ...place, directory });
	const { snapshots } = SnapshotDirectory.open({
		...{ ...place, disk: realDisk, directory: join(directory, "snapshots") },
	});
	const writer = snapshots.create(snapshot.description);
	const { chunks } = snapshot;
	for (let next = chunks.next(); !next.done; next = chunks.next())
		writer.write(next.value);
	const { sha256 } = snapshots.finish(writer);
	beginLog(directory, config, snapshot.description);
	identity.markLogStarted();
	return { incarnation: identity.identity.incarnation, sha256 };
}

/**
 * A log that begins behind the snapshot. Without one, a node whose snapshot were lost before its first start would found
 * an empty cluster instead of refusing to start (P31).
 */
function beginLog(
	directory: string,
	config: NodeConfig,
	{ index, term }: Pick<SnapshotPoint, "index" | "term">,
): void {
	const { wal } = openWal({
		...{ disk: realDisk, directory: join(directory, "wal") },
		...{ clusterId: config.cluster.id, nodeId: config.node },
		segmentBytes: limitsFrom(config.limits).segmentBytes,
	});
	wal.append([
		{
			...{ sequence: 0, hardState: { term, votedFor: null, commit: index } },
			...{ reset: { index, term }, firstIndex: 0, lastIndex: 0 },
			...{ blocks: [], sync: true },
		},
	]);
	wal.close();
}

function requireNewCluster(
	path: string,
	manifest: SnapshotManifest,
	{ cluster, join: joins, node }: NodeConfig,
): void {
	if (joins)
		throw new OperatorError(
			"refused",
			`${node} is configured to join a cluster: it gets its state from that cluster's leader`,
			{
				node,
				state: "nothing was changed",
				next: "set join to false, for a node of a new cluster",
			},
		);
	if (manifest.clusterId !== cluster.id) return;
	throw new OperatorError(
		"refused",
		`${path} is of cluster ${cluster.id}, and so would be the restored node`,
		{
			node,
			problems: [
				"nodes of the old cluster that are still up, or come back, would take the restored ones for their own and mix two histories",
			],
			state: "nothing was changed",
			next: "give the restored cluster an id of its own: cluster.id in the configuration of each node",
		},
	);
}

function tooFar(index: number, bump: number): OperatorError {
	return new OperatorError(
		"usage",
		`index ${index} and ${bump} more is beyond the largest index there is, ${maxIndex}`,
		{ state: "nothing was changed", next: "give a smaller --index-bump" },
	);
}
