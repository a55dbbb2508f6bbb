import { isIP } from "node:net";
import type { LeafWish } from "../../certificates/issue.js";
import type { Inventory, NodeEntry, TlsEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";

/** Clocks differ: what is issued now must hold for whoever is a little behind. */
const backdatedMs = 3_600_000;
const authorityLifetimeMs = 10 * 365 * 86_400_000;

export const roles = ["observer", "operator", "admin"] as const;

/** Throws OperatorError "config" for a cluster file without `tls`. */
export function requireTls({ tls, source }: Inventory): TlsEntry {
	if (tls !== null) return tls;
	throw new OperatorError("config", `${source} has no tls`, {
		state: "nothing was touched",
		next: 'add "tls: {}" to it; docs/tls.md says what it may hold',
	});
}

export function authorityWish({ name }: Inventory, unixMs: number) {
	return {
		clusterName: name,
		notBefore: new Date(unixMs - backdatedMs),
		notAfter: new Date(unixMs + authorityLifetimeMs),
	};
}

export function nodeWish(
	inventory: Inventory,
	node: NodeEntry,
	unixMs: number,
): LeafWish {
	return {
		commonName: node.id,
		names: namesOf(inventory, node),
		speaksFor: { kind: "node", clusterId: inventory.id, node: node.id },
		isServer: true,
		...validity(inventory, unixMs),
	};
}

export function roleWish(
	inventory: Inventory,
	role: (typeof roles)[number],
	unixMs: number,
): LeafWish {
	return {
		...{ commonName: `${role} of ${inventory.name}`.slice(0, 64), names: [] },
		speaksFor: { kind: "role", clusterId: inventory.id, role },
		...{ isServer: false, ...validity(inventory, unixMs) },
	};
}

function validity(inventory: Inventory, unixMs: number) {
	const { lifetimeMs } = requireTls(inventory);
	return {
		notBefore: new Date(unixMs - backdatedMs),
		notAfter: new Date(unixMs + lifetimeMs),
	};
}

/** Where the node is reached: at its own addresses, through the balancer, and by the names that were given. */
function namesOf(inventory: Inventory, node: NodeEntry): readonly string[] {
	const { balancer } = inventory;
	const addresses = [node.peer, node.client, node.admin];
	const hosts = [
		...addresses.map(hostOf),
		...(balancer === null ? [] : [hostOf(balancer.listen)]),
		...requireTls(inventory).names,
	].filter((host) => !["", "*", "0.0.0.0", "::"].includes(host));
	const isLocal = hosts.some((host) => /^(127\.|::1$|localhost$)/.test(host));
	const local = isLocal ? ["localhost", "127.0.0.1", "::1"] : [];
	return [...new Set([...hosts, ...local])].map((host) =>
		isIP(host) > 0 ? host : host.toLowerCase(),
	);
}

function hostOf(address: string): string {
	return address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}
