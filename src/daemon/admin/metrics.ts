import type { EventLoopView } from "../event-loop.js";
import { securityFamilies } from "./certificates.js";
import { engineFamilies } from "./engine-metrics.js";
import { exposition, type Family, plain } from "./exposition.js";
import { scheduleFamilies } from "./schedule-metrics.js";
import type { AdminSubject } from "./subject.js";

/** The Prometheus text exposition (version 0.0.4) of this node. docs/raftd.md lists every metric. */
export function metricsText(
	subject: AdminSubject,
	eventLoop: EventLoopView,
): string {
	const families = [
		...raftFamilies(subject),
		...membershipFamilies(subject),
		...engineFamilies(subject.engine()),
		...scheduleFamilies(subject.replica.controlState(), Date.now()),
		...serviceFamilies(subject),
		...securityFamilies(subject),
		...processFamilies(subject, eventLoop),
	];
	return families.map(exposition).join("");
}

const roles = ["follower", "pre-candidate", "candidate", "leader"] as const;

// biome-ignore format: one metric a line
function raftFamilies({ replica }: AdminSubject): Family[] {
	const status = replica.status();
	const { raft } = status;
	return [
		{
			name: "raftd_role",
			type: "gauge",
			help: "1 for the role that this node has now.",
			samples: roles.map((role) => ({ labels: { role }, value: raft.role === role ? 1 : 0 })),
		},
		...plain([
			["raftd_term", "The current term.", raft.term],
			["raftd_has_leader", "1 when a leader is known.", raft.leader === null ? 0 : 1],
			["raftd_log_first_index", "The first entry that the log still holds.", raft.firstIndex],
			["raftd_log_last_index", "The last entry.", raft.lastIndex],
			["raftd_log_durable_index", "The last entry that is durable here.", raft.durableIndex],
			["raftd_commit_index", "The last committed entry.", raft.commit],
			["raftd_applied_index", "The last applied entry.", status.applied],
			["raftd_snapshot_index", "Of the newest snapshot; 0 for none.", raft.snapshotIndex],
			["raftd_leader_commit_index", "The leader's commit index as last heard; -1 when never heard.", replica.leaderCommit()?.index ?? -1],
			["raftd_uncommitted_bytes", "Bytes of entries that are not committed yet.", raft.uncommittedBytes],
			["raftd_connected_peers", "Members with a live link in both directions.", status.connectedPeers.length],
			["raftd_leaderless_seconds_total", "Time without a known leader since the start.", status.leaderlessTotalMs / 1000],
			["raftd_leaderless_longest_seconds", "The longest time without a known leader since the start.", status.leaderlessMaxMs / 1000],
			["raftd_disk_pending_seconds", "How long the oldest write under way has been waiting.", status.diskPendingMs / 1000],
			["raftd_failed", "1 when the node has stopped applying or writing for good.", status.failure === null ? 0 : 1],
		]),
		{
			name: "raftd_follower_match_index",
			type: "gauge",
			help: "On the leader: the last entry known to be durable on a follower.",
			samples: raft.followers.map(({ id, match }) => ({ labels: { follower: id }, value: match })),
		},
		{
			name: "raftd_follower_heard_ago_seconds",
			type: "gauge",
			help: "On the leader: the time since a follower was last heard.",
			samples: raft.followers.map(({ id, heardAgoMs }) => ({ labels: { follower: id }, value: heardAgoMs / 1000 })),
		},
	];
}

/** Who takes part, how well, and what the cluster has agreed on. */
// biome-ignore format: one metric a line
function membershipFamilies({ replica, machine }: AdminSubject): Family[] {
	const { raft } = replica.status();
	const { voters, learners, outgoing } = raft.configuration;
	const { alarms, writeLevel } = replica.controlState();
	const members = { voter: voters, learner: learners, outgoing };
	return [
		{
			name: "raftd_members",
			type: "gauge",
			help: "Members by role, in the configuration in force.",
			samples: Object.entries(members).map(([role, ids]) => ({ labels: { role }, value: ids.length })),
		},
		...plain([
			["raftd_configuration_index", "Of the entry that holds the configuration in force; 0 for none.", raft.configurationIndex],
			["raftd_write_level", "Up to which level of the entry format commands are written.", writeLevel?.level ?? machine.levels.reads[0]],
		]),
		{
			name: "raftd_alarm",
			type: "gauge",
			help: "1 for each alarm that stands, on every node.",
			samples: [...alarms.values()].map(({ kind, node }) => ({ labels: { kind, node }, value: 1 })),
		},
		{
			name: "raftd_follower_lag_entries",
			type: "gauge",
			help: "On the leader: how many entries a follower is behind.",
			samples: raft.followers.map(({ id, catchUp }) => ({ labels: { follower: id }, value: catchUp.lagEntries })),
		},
		{
			name: "raftd_follower_counted",
			type: "gauge",
			help: "On the leader: 0 for a follower whose log went back.",
			samples: raft.followers.map(({ id, counted }) => ({ labels: { follower: id }, value: counted ? 1 : 0 })),
		},
	];
}

// biome-ignore format: one metric a line
function serviceFamilies(subject: AdminSubject): Family[] {
	const { health, draining } = subject;
	const { total, websockets, streams } = subject.connections();
	const faults = subject.clientFaults();
	const drain = draining.view();
	return [
		{
			name: "raftd_ready",
			type: "gauge",
			help: "1 when the named check of /readyz passes.",
			samples: health.ready().map(({ name, ok }) => ({
				labels: { check: name },
				value: ok ? 1 : 0,
			})),
		},
		{
			name: "raftd_client_connections",
			type: "gauge",
			help: "Open connections on the client port.",
			samples: [
				{ labels: { kind: "websocket" }, value: websockets },
				{ labels: { kind: "stream" }, value: streams },
				{
					labels: { kind: "http" },
					value: Math.max(0, total - websockets - streams),
				},
			],
		},
		...plain([
			["raftd_draining", "1 while the node announces that it drains.", drain.draining ? 1 : 0],
			["raftd_inflight_requests", "Requests accepted and not yet answered.", subject.inflight()],
		]),
		{
			name: "raftd_client_connections_ended_total",
			type: "counter",
			help: "Connections that the node itself ended or turned away.",
			samples: [
				{ labels: { reason: "protocol" }, value: faults.protocolErrors },
				{ labels: { reason: "stalled" }, value: faults.stalled },
				{ labels: { reason: "unresponsive" }, value: faults.unresponsive },
				{ labels: { reason: "events-gone" }, value: faults.eventsGone },
			],
		},
	];
}

// biome-ignore format: one metric a line
function processFamilies(
	subject: AdminSubject,
	eventLoop: EventLoopView,
): Family[] {
	const memory = process.memoryUsage();
	const cpu = process.cpuUsage();
	return [
		{
			name: "raftd_info",
			type: "gauge",
			help: "Always 1; who this is.",
			samples: [
				{
					labels: {
						cluster: subject.clusterName,
						node: subject.identity.nodeId,
						release: subject.release,
						machine: subject.machine.name,
						node_js: process.version,
					},
					value: 1,
				},
			],
		},
		...plain([
			["raftd_uptime_seconds", "Time since the process started.", subject.uptimeMs() / 1000],
			["raftd_event_loop_stall_recent_seconds", "The longest stall of the event loop within the last 10 to 20 seconds.", eventLoop.recentStallMs / 1000],
			["raftd_event_loop_stall_longest_seconds", "The longest stall of the event loop since the start.", eventLoop.longestStallMs / 1000],
			["process_cpu_seconds_total", "User and system CPU time.", (cpu.user + cpu.system) / 1e6],
			["process_resident_memory_bytes", "Resident memory size.", memory.rss],
			["nodejs_heap_used_bytes", "JavaScript heap in use.", memory.heapUsed],
		]),
	];
}
