import type { Draining } from "../draining.js";
import type { EngineStats } from "../engine/engine-stats.js";
import type { HealthMonitor } from "../health-monitor.js";
import type { Identity } from "../identity.js";
import type { Replica } from "../replica.js";
import type { Credentials } from "../tls/credentials.js";
import type { Access } from "./access/access.js";
import type { ShownSnapshots } from "./snapshot-list.js";

/** The node as its admin port sees it. */
export interface AdminSubject {
	readonly identity: Identity;
	readonly clusterName: string;
	readonly release: string;
	/** Changes with every start of the process. */
	readonly processId: string;
	readonly machine: {
		readonly name: string;
		readonly levels: {
			readonly reads: readonly [number, number];
			readonly writes: number;
		};
	};
	readonly replica: Replica;
	readonly snapshots: ShownSnapshots;
	readonly health: HealthMonitor;
	readonly draining: Draining;
	readonly transferTimeoutMs: number;
	readonly security: AdminSecurity;
	connections(): ConnectionCounts;
	/** Requests of clients that were accepted and not yet answered. */
	inflight(): number;
	clientFaults(): ClientFaults;
	engine(): EngineStats;
	uptimeMs(): number;
}

export interface AdminSecurity {
	/** Null on a node that speaks no TLS. */
	readonly credentials: Credentials | null;
	readonly access: Access;
	/** Reads certificates, keys and tokens again. */
	reload(): void;
}

export interface ConnectionCounts {
	/** Open connections on the client port, of all kinds. */
	readonly total: number;
	readonly websockets: number;
	readonly streams: number;
}

/** Connections that the client port ended, or turned away, since the start. */
interface ClientFaults {
	/** They broke a protocol. */
	readonly protocolErrors: number;
	/** They did not take what was sent to them. */
	readonly stalled: number;
	/** They answered no ping. */
	readonly unresponsive: number;
	/** They asked for events that are no longer kept. */
	readonly eventsGone: number;
}
