import type { ApplyReport } from "../operations/balancer/apply.js";
import type { CheckReport, HostCheck } from "../operations/balancer/check.js";

/** What `balancer check` found, a line for each thing that it says of a host. */
export function balancerCheckText(report: CheckReport): string {
	const { kind, hosts, reactionMs, path } = report;
	return [
		`${kind} acts on a node's word within ${reactionMs} ms`,
		...hosts.flatMap((host) => [
			`${host.host}: ${verdictOn(host, path)}`,
			...host.faults.map((fault) => `${host.host}: ${fault}`),
		]),
	].join("\n");
}

function verdictOn({ written, behind }: HostCheck, path: string): string {
	if (written === null) return "could not be asked";
	if (!written)
		return `${path} is not as the cluster file has it; raftctl balancer apply`;
	return behind === null
		? `${path} is as the cluster file has it`
		: `${path} is as the cluster file has it, and what runs is not: ${behind}; raftctl balancer apply`;
}

export function balancerApplyText({
	kind,
	written,
	reloaded,
}: ApplyReport): string {
	if (reloaded.length === 0)
		return `${kind} runs with the nodes of the cluster file already`;
	const names = (hosts: readonly string[]) => hosts.join(", ");
	return written.length === 0
		? `reloaded: ${names(reloaded)}`
		: `written: ${names(written)}; reloaded: ${names(reloaded)}`;
}
