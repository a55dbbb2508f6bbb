import type { Lab } from "./lab.js";
import { balancerHost, type HostName } from "./names.js";

export interface ClusterWish {
	readonly name: string;
	/** Where n1, n2 … are, in this order. */
	readonly hosts: readonly HostName[];
	readonly portBase: number;
	/** Where applications reach it, instead of HAProxy: n1. */
	readonly withoutFront?: boolean;
	/** Machines that no node is on yet. */
	readonly spare?: readonly HostName[];
	/** Further keys of the cluster file, a line each. */
	readonly more?: readonly string[];
}

const frontPort = 8_080;

/** host:port that applications connect to. */
export function frontOf(
	lab: Lab,
	{ hosts, portBase, withoutFront = false }: ClusterWish,
): string {
	const [first = balancerHost] = hosts;
	return withoutFront
		? `${lab.address(first)}:${portBase + 11}`
		: `${lab.address(balancerHost)}:${frontPort}`;
}

/** A cluster file for machines of the lab, behind HAProxy on the balancer's. */
export function clusterText(lab: Lab, wish: ClusterWish): string {
	const { name, hosts, portBase, spare = [], more = [] } = wish;
	const { user, identityFile, knownHosts } = lab.access;
	const nodes = hosts.map(
		(host, at) => `  - { id: n${at + 1}, host: ${host} }`,
	);
	const all = new Set<HostName>([...hosts, ...spare, balancerHost]);
	const addresses = [...all].map((host) => `  ${host}: ${lab.address(host)}`);
	return [
		...[`name: ${name}`, `id: ${name}-lab`, `portBase: ${portBase}`],
		...["hosts:", ...addresses],
		...["ssh:", `  user: ${user}`, `  identityFile: ${identityFile}`],
		...[`  knownHosts: ${knownHosts}`, "  config: false"],
		...["nodes:", ...nodes],
		...(wish.withoutFront === true
			? []
			: [
					`balancer: { kind: haproxy, host: ${balancerHost}, listen: "*:${frontPort}" }`,
				]),
		...[...more, ""],
	].join("\n");
}
