import { join } from "node:path";
import type { Logger } from "pino";
import type { NodeConfig } from "../config.js";
import { limitsFrom } from "../engine/limits.js";
import type { NodeReplica } from "../engine/node-replica.js";
import type { Identity } from "../identity.js";
import { Backup, lookIntervalMs } from "./backup.js";
import { s3Authority, s3Credentials } from "./credentials.js";
import { WorkThreads } from "./work-thread.js";

const leastSettleMs = 2000;

/** Starts to look after the cluster's snapshot schedule, on this node while it leads. */
export function openBackup(options: {
	readonly config: NodeConfig;
	readonly logger: Logger;
	readonly replica: NodeReplica;
	readonly identity: Identity;
}): { close(): Promise<void> } {
	const { config, logger, replica, identity } = options;
	const { node } = config;
	const threads = new WorkThreads();
	const backup = new Backup({
		replica,
		owner: {
			cluster: config.cluster.name,
			clusterId: identity.clusterId,
			node,
		},
		snapshotsDirectory: join(config.data, "snapshots"),
		maxBytesPerSecond: limitsFrom(config.limits).maxSnapshotBytesPerSecond,
		environment: process.env,
		settleMs: Math.max(leastSettleMs, 2 * config.timing.electionTimeoutMs),
		openSnapshot: (index) => replica.snapshots.open(index),
		credentials: () => s3Credentials(config.s3, process.env, node),
		authority: () => s3Authority(config.s3, node),
		work: (work, signal) => threads.run(work, signal),
		diagnose: (level, message, fields) => logger[level](fields ?? {}, message),
		nowMs: () => performance.now(),
		wallMs: () => Date.now(),
	});
	const looking = setInterval(() => backup.look(), lookIntervalMs);
	return {
		async close() {
			clearInterval(looking);
			await backup.close();
		},
	};
}
