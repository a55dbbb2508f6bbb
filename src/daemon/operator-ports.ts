import type { Logger } from "pino";
import type { Machine } from "../machines/machine.js";
import { startAgentCheck } from "./admin/agent-check.js";
import type * as server from "./admin/server.js";
import type { AdminSecurity, AdminSubject } from "./admin/subject.js";
import type { ClientApi } from "./api/client-api.js";
import type { NodeConfig } from "./config.js";
import type { Draining } from "./draining.js";
import type { NodeReplica } from "./engine/node-replica.js";
import type { EventLoopMeter } from "./event-loop.js";
import { healthLimits } from "./health.js";
import { HealthMonitor } from "./health-monitor.js";
import type { Identity } from "./identity.js";

/** Opens what operators and balancers look at: the admin port, the agent-check port, and the clock behind both. */
export async function openOperatorPorts(
	options: OperatorPortsOptions,
): Promise<{ close(): Promise<void> }> {
	const { config, logger, draining, eventLoop } = options;
	const health = healthMonitor(options);
	const sampling = setInterval(
		() => {
			draining.tick();
			eventLoop.tick(options.nowMs());
			health.sample();
		},
		Math.min(sampleIntervalMaxMs, config.timing.heartbeatIntervalMs),
	);
	const opened: { close(): Promise<void> }[] = [
		{ close: async () => clearInterval(sampling) },
	];
	const close = async () => {
		await Promise.all(opened.map((one) => one.close()));
	};
	try {
		opened.push(
			await options.server.startAdminServer({
				address: config.listen.admin,
				subject: subjectOf(options, health),
				eventLoop: () => eventLoop.view(),
				onInternalError: (method, error) =>
					logger.error({ err: error, method }, "an admin call failed"),
			}),
		);
		if (config.listen.agent !== undefined) {
			opened.push(
				await startAgentCheck({
					address: config.listen.agent,
					verdict: () => verdictOf(health),
				}),
			);
		}
	} catch (error) {
		await close();
		throw error;
	}
	return { close };
}

interface OperatorPortsOptions {
	readonly config: NodeConfig;
	readonly logger: Logger;
	readonly server: typeof server;
	readonly identity: Identity;
	readonly release: string;
	readonly processId: string;
	readonly machine: Machine;
	readonly replica: NodeReplica;
	readonly draining: Draining;
	readonly security: AdminSecurity;
	readonly eventLoop: EventLoopMeter;
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
	/** Null until the client port is open. */
	readonly clients: () => Pick<
		ClientApi,
		"connections" | "inflight" | "counters"
	> | null;
}

const sampleIntervalMaxMs = 100;
const noConnections = { total: 0, websockets: 0, streams: 0 };
const noFaults = {
	protocolErrors: 0,
	stalled: 0,
	unresponsive: 0,
	eventsGone: 0,
};

function healthMonitor(options: OperatorPortsOptions): HealthMonitor {
	const { config, logger, replica, draining, eventLoop } = options;
	const health = new HealthMonitor({
		replica,
		limits: healthLimits(config.timing),
		nowMs: options.nowMs,
		started: () => options.clients() !== null,
		drain: () => draining.view(),
		eventLoop: () => eventLoop.view(),
	});
	health.onChange((state) => {
		const failed = health.ready().filter((check) => !check.ok);
		logger.info(
			{
				state,
				failed: failed.map(({ name, reason }) => `${name}: ${reason}`),
			},
			`readiness: ${state}`,
		);
	});
	return health;
}

function subjectOf(
	options: OperatorPortsOptions,
	health: HealthMonitor,
): AdminSubject {
	const { config, replica, machine, nowMs } = options;
	return {
		identity: options.identity,
		clusterName: config.cluster.name,
		release: options.release,
		processId: options.processId,
		machine,
		replica,
		snapshots: replica.snapshots,
		health,
		draining: options.draining,
		security: options.security,
		transferTimeoutMs: config.timing.transferTimeoutMs,
		connections: () => options.clients()?.connections() ?? noConnections,
		inflight: () => options.clients()?.inflight() ?? 0,
		engine: () => replica.stats(),
		clientFaults: () => options.clients()?.counters() ?? noFaults,
		// The monotonic clock of a process begins with it.
		uptimeMs: nowMs,
	};
}

function verdictOf(health: HealthMonitor) {
	const failed = health.ready().filter((check) => !check.ok);
	return { state: health.state(), failed: failed.map(({ name }) => name) };
}
