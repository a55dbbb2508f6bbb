import { join } from "node:path";
import type {
	EmbeddedBalancerEntry,
	Inventory,
} from "../../config/inventory.js";

/** What the embedded balancer's process reads: a JSON file, one object. Addresses are host:port. */
export interface EmbeddedConfig {
	readonly version: 1;
	readonly cluster: { readonly id: string; readonly name: string };
	/** Where applications connect. */
	readonly listen: string;
	/** Where raftctl asks and steers. */
	readonly admin: string;
	readonly backends: readonly BackendEntry[];
	/** The file of authorities, absolute, where nodes speak TLS. Connections of clients are passed on as they are. */
	readonly tls?: { readonly ca: string };
	readonly checkIntervalMs: number;
	/** A node that has not answered a check by then is down. */
	readonly checkTimeoutMs: number;
	/** The limit of one attempt to connect to one node. */
	readonly connectTimeoutMs: number;
	/** How long a new connection waits for a node while there is none, and how many may. */
	readonly holdMs: number;
	readonly maxHeld: number;
	readonly maxConnections: number;
	/** A connection that one side has ended is closed after so long without traffic. */
	readonly halfOpenTimeoutMs: number;
	/** How long connections go on after SIGTERM. */
	readonly closeTimeoutMs: number;
}

export interface BackendEntry {
	readonly node: string;
	readonly client: string;
	readonly admin: string;
}

export const checkTimeoutMs = 1_000;

/**
 * The configuration of the inventory's balancer. Learners are backends too: a node that is ready takes any request.
 */
export function embeddedConfig(
	inventory: Inventory & { readonly balancer: EmbeddedBalancerEntry },
): EmbeddedConfig {
	const { id, name, balancer, nodes, tls } = inventory;
	return {
		version: 1,
		cluster: { id, name },
		listen: balancer.listen,
		admin: balancer.admin,
		backends: nodes.map((node) => ({
			node: node.id,
			client: node.client,
			admin: node.admin,
		})),
		...(tls === null ? {} : { tls: { ca: join(tls.directory, "ca.crt") } }),
		checkIntervalMs: balancer.checkIntervalMs,
		checkTimeoutMs,
		connectTimeoutMs: 1_000,
		holdMs: 2_000,
		maxHeld: 1_000,
		maxConnections: 20_000,
		halfOpenTimeoutMs: 60_000,
		closeTimeoutMs: 10_000,
	};
}
