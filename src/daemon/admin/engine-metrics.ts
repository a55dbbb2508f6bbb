import type { EngineStats } from "../engine/engine-stats.js";
import { type Family, plain } from "./exposition.js";

/** What the engine has counted: the path of commands, reads, the disk and the links to the peers. */
export function engineFamilies(stats: EngineStats): Family[] {
	return [
		...requestFamilies(stats),
		...diskFamilies(stats),
		...snapshotFamilies(stats),
		...peerFamilies(stats),
	];
}

// biome-ignore format: one metric a line
function requestFamilies(stats: EngineStats): Family[] {
	return [
		...plain([
			["raftd_commands_proposed_total", "Commands appended by this node as leader.", stats.proposals],
			["raftd_command_batches_total", "Proposals that carried these commands.", stats.batches],
			["raftd_commands_retried_total", "Commands that a leader could not take, asked again.", stats.retried],
			["raftd_commands_overloaded_total", "Commands refused because a queue was full.", stats.overloaded],
			["raftd_commands_unknown_total", "Commands whose fate this node could not tell.", stats.unknown],
			["raftd_reads_total", "Reads of all kinds.", stats.reads],
			["raftd_lease_reads_total", "Reads answered under the leader's lease.", stats.leaseReads],
			["raftd_read_rounds_total", "Questions to the quorum that linearizable reads shared.", stats.readRounds],
			["raftd_reads_unconfirmed_total", "Rounds that no quorum confirmed, asked again.", stats.readsUnconfirmed],
			["raftd_entries_applied_total", "Entries applied since the start.", stats.applied],
			["raftd_leaderships_total", "How often this node has become leader.", stats.leaderships],
			["raftd_event_subscribers", "Subscribers to events.", stats.events.subscribers],
		]),
		{
			name: "raftd_commands_forwarded_total",
			type: "counter",
			help: "Commands sent on to the leader, and taken over from followers.",
			samples: [
				{ labels: { direction: "out" }, value: stats.forwardedOut },
				{ labels: { direction: "in" }, value: stats.forwardedIn },
			],
		},
	];
}

// biome-ignore format: one metric a line
function diskFamilies({ log, writes, fetches }: EngineStats): Family[] {
	return plain([
		["raftd_log_writes_total", "Writes handed to the disk.", writes],
		["raftd_log_syncs_total", "fdatasync calls.", log.syncs],
		["raftd_log_sync_seconds_total", "Time spent in fdatasync.", log.syncTotalMs / 1000],
		["raftd_log_sync_longest_seconds", "The longest fdatasync since the start.", log.syncMaxMs / 1000],
		["raftd_log_bytes_written_total", "Bytes written to the log.", log.bytesWritten],
		["raftd_log_segments", "Files of the log.", log.segments],
		["raftd_log_bytes", "Bytes of these files, preallocated room included.", log.bytesHeld],
		["raftd_log_fetches_total", "Reads from the disk for followers that lag.", fetches],
	]);
}

function snapshotFamilies(stats: EngineStats): Family[] {
	const outcomes = {
		taken: stats.snapshotsTaken,
		failed: stats.snapshotsFailed,
		installed: stats.snapshotsInstalled,
		"fetch-failed": stats.snapshotFetchesFailed,
	};
	return [
		{
			name: "raftd_snapshots_total",
			type: "counter",
			help: "Snapshots taken, not taken, fetched and installed, and attempts to fetch one that broke.",
			samples: Object.entries(outcomes).map(([outcome, value]) => ({
				labels: { outcome },
				value,
			})),
		},
		{
			name: "raftd_snapshot_bytes_total",
			type: "counter",
			help: "Bytes of snapshots sent to other nodes, and fetched from them.",
			samples: [
				{ labels: { direction: "out" }, value: stats.peers.snapshotBytesSent },
				{ labels: { direction: "in" }, value: stats.peers.snapshotBytesRead },
			],
		},
	];
}

// biome-ignore format: one metric a line
function peerFamilies({ peers }: EngineStats): Family[] {
	return [
		{
			name: "raftd_peer_bytes_total",
			type: "counter",
			help: "Bytes to and from the other nodes.",
			samples: [
				{ labels: { direction: "out" }, value: peers.bytesSent },
				{ labels: { direction: "in" }, value: peers.bytesRead },
			],
		},
		...plain([
			["raftd_peer_queue_bytes", "Bytes that wait to be sent to the other nodes.", peers.bytesQueued],
			["raftd_peer_bad_frames_total", "Frames that ended their connection.", peers.badFrames],
			["raftd_peer_refused_total", "Handshakes refused.", peers.refused],
			["raftd_peer_messages_dropped_total", "Messages for a node without a link.", peers.dropped],
		]),
	];
}
