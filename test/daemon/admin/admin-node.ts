import { Access } from "../../../src/daemon/admin/access/access.js";
import {
	type AdminServer,
	startAdminServer,
} from "../../../src/daemon/admin/server.js";
import type {
	AdminSecurity,
	AdminSubject,
} from "../../../src/daemon/admin/subject.js";
import { Draining } from "../../../src/daemon/draining.js";
import { zeroCounters } from "../../../src/daemon/engine/engine-stats.js";
import { healthLimits } from "../../../src/daemon/health.js";
import { HealthMonitor } from "../../../src/daemon/health-monitor.js";
import { ScriptedReplica } from "../../fakes/scripted-replica.js";
import { freePort } from "../free-port.js";

/** A real admin server on a free port, over a scripted replica. */
export async function startAdminNode(
	role: "leader" | "follower" = "leader",
	snapshots: AdminSubject["snapshots"] = {
		list: () => [],
		open: async () => null,
	},
	security?: AdminSecurity,
): Promise<AdminNode> {
	const nowMs = () => performance.now();
	const replica = new ScriptedReplica(role);
	const moved: string[] = [];
	const draining = new Draining({ nowMs, onChange: () => {} });
	draining.attach({
		beginClosing: (overMs) => moved.push(`begin ${overMs}`),
		stopClosing: () => moved.push("stop"),
	});
	const eventLoop = () => ({ recentStallMs: 1, longestStallMs: 2 });
	const health = new HealthMonitor({
		replica,
		limits: healthLimits({ electionTimeoutMs: 1000, diskStallMs: 2000 }),
		nowMs,
		started: () => true,
		drain: () => draining.view(),
		eventLoop,
	});
	const internalErrors: unknown[] = [];
	const address = `127.0.0.1:${await freePort()}`;
	const server = await startAdminServer({
		address,
		eventLoop,
		onInternalError: (_method, error) => internalErrors.push(error),
		subject: {
			identity: { clusterId: "c1", nodeId: "n1", incarnation: "i1" },
			clusterName: 'shop "one"',
			release: "0.1.0",
			processId: "p1",
			machine: { name: "kv", levels: { reads: [1, 2], writes: 1 } },
			replica,
			snapshots,
			health,
			draining,
			transferTimeoutMs: 200,
			security: security ?? openSecurity(),
			connections: () => ({ total: 9, websockets: 4, streams: 2 }),
			inflight: () => 5,
			engine: () => engineStats,
			clientFaults: () => ({
				protocolErrors: 7,
				stalled: 0,
				unresponsive: 0,
				eventsGone: 0,
			}),
			uptimeMs: () => 1234,
		},
	});
	return { address, server, replica, draining, health, moved, internalErrors };
}

/** Nobody is asked who he is. */
function openSecurity(): AdminSecurity {
	const access = new Access({
		...{ clusterId: "c1", tls: false, tokens: null },
		nowMs: () => performance.now(),
		onRefused: () => {},
	});
	return { credentials: null, access, reload() {} };
}

export interface AdminNode {
	readonly address: string;
	readonly server: AdminServer;
	readonly replica: ScriptedReplica;
	readonly draining: Draining;
	readonly health: HealthMonitor;
	readonly moved: string[];
	readonly internalErrors: unknown[];
}

/** Calls a method of the admin service as curl would. */
export async function callJson(
	node: AdminNode,
	method: string,
	request: object = {},
) {
	const response = await fetch(
		`http://${node.address}/raftctl.admin.v1.AdminService/${method}`,
		{
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(request),
		},
	);
	return {
		status: response.status,
		body: (await response.json()) as Record<string, unknown> & {
			code?: string;
			message?: string;
			lock?: Record<string, unknown>;
			details?: { type: string; debug?: unknown }[];
		},
	};
}

const engineStats = {
	...zeroCounters(),
	proposals: 41,
	leaseReads: 6,
	snapshotsInstalled: 2,
	peers: {
		framesIn: 0,
		badFrames: 0,
		refused: 3,
		dropped: 0,
		bytesSent: 100,
		bytesRead: 200,
		bytesQueued: 0,
		snapshotBytesSent: 500,
		snapshotBytesRead: 0,
	},
	log: {
		syncs: 12,
		syncMaxMs: 4,
		syncTotalMs: 30,
		bytesWritten: 4096,
		segments: 1,
		bytesHeld: 65_536,
		firstIndex: 1,
	},
	events: { subscribers: 2, oldestIndex: 1 },
	blocksEncoded: 0,
};
