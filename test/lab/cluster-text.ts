import type { Lab } from "./lab.js";
import { balancerHost, type HostName } from "./names.js";

export interface ClusterWish {
	readonly name: string;
	/** Where n1, n2 … are, in this order. */
	readonly hosts: readonly HostName[];
	readonly portBase: number;
	/** Of the balancer; 8080 unless another cluster has it. */
	readonly frontPort?: number;
	/** Machines that no node is on yet. */
	readonly spare?: readonly HostName[];
	/** Further keys of the cluster file, a line each. */
	readonly more?: readonly string[];
}

/** A cluster file for machines of the lab, behind HAProxy on the balancer's. */
export function clusterText(lab: Lab, wish: ClusterWish): string {
	const {
		name,
		hosts,
		portBase,
		frontPort = 8080,
		spare = [],
		more = [],
	} = wish;
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
		`balancer: { kind: haproxy, host: ${balancerHost}, listen: "*:${frontPort}" }`,
		...[...more, ""],
	].join("\n");
}
