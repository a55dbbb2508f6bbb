import type {
	FrontBalancerEntry,
	Inventory,
	NodeEntry,
} from "../../config/inventory.js";

/** A machine that is reached over SSH, and what it is for. */
export interface HostRole {
	readonly name: string;
	readonly nodes: readonly NodeEntry[];
	/** Null where no balancer of the cluster runs. */
	readonly front: FrontBalancerEntry | null;
}

/** The hosts that nodes or balancers are on; this machine is none of them. */
export function hostsInUse({
	hosts,
	nodes,
	balancer,
}: Pick<Inventory, "hosts" | "nodes" | "balancer">): readonly HostRole[] {
	const front =
		balancer?.kind === "haproxy" || balancer?.kind === "nginx"
			? balancer
			: null;
	return hosts
		.map(({ name }) => ({
			name,
			nodes: nodes.filter(({ host }) => host === name),
			front: front?.hosts.includes(name) ? front : null,
		}))
		.filter((role) => role.nodes.length > 0 || role.front !== null);
}

/** "10.0.0.1:7000" or "[::1]:7000" in its parts. */
export function partsOf(address: string): {
	readonly host: string;
	readonly port: number;
} {
	const at = address.lastIndexOf(":");
	const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
	return { host, port: Number(address.slice(at + 1)) };
}

/** What a node listens on, by the names of the cluster file. */
export function portsOf(
	node: NodeEntry,
): readonly { readonly name: PortName; readonly address: string }[] {
	return portNames.flatMap((name) => {
		const address = node[name];
		return address === null ? [] : [{ name, address }];
	});
}

const portNames = ["peer", "client", "admin", "agent"] as const;
export type PortName = (typeof portNames)[number];
