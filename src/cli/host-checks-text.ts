import type { HostsReport } from "../operations/host-checks/check-hosts.js";
import { textTable } from "./text-table.js";

/** The hosts with what was measured, then what was found, each with its remedy. */
export function hostsText({ cluster, hosts, findings }: HostsReport): string {
	const rows = hosts.map((host) =>
		host.reachable
			? [
					...[host.host, host.nodes.join(", ") || "-"],
					milliseconds(host.stepMs),
					signed(host.aheadMs),
					bytes(host.availableMemoryBytes),
					bytes(host.freeBytes),
					milliseconds(host.syncMs),
					`systemd ${host.systemdVersion ?? "none"}, ${host.arch}, glibc ${host.glibc ?? "none"}, Node.js ${host.nodeJs ?? "none"}`,
				]
			: [host.host, host.nodes.join(", ") || "-", "unreachable"],
	);
	const head = [
		...["HOST", "NODES", "STEP", "CLOCK", "MEMORY", "DISK", "WRITE", "SYSTEM"],
	];
	return [
		textTable(
			head,
			rows.map((row) => head.map((_, at) => row[at] ?? "")),
		),
		"",
		...findings.flatMap(({ severity, host, what, remedy }) => [
			`${severity.toUpperCase().padEnd(7)}  ${named(host, what)}`,
			`${" ".repeat(9)}${remedy}`,
		]),
		verdict(cluster, findings),
	].join("\n");
}

function verdict(cluster: string, findings: HostsReport["findings"]): string {
	const problems = findings.filter(({ severity }) => severity === "problem");
	if (problems.length === 0) return `the hosts of ${cluster} are fit for it`;
	return `the hosts of ${cluster} are NOT fit for it: ${problems.length === 1 ? "one problem" : `${problems.length} problems`}`;
}

function milliseconds(value: number | null): string {
	if (value === null) return "?";
	return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** An answer takes time: less than that is not told. */
function signed(value: number | null): string {
	if (value === null) return "?";
	if (Math.abs(value) < 1000) return "right";
	return `${value > 0 ? "+" : "-"}${(Math.abs(value) / 1000).toFixed(1)} s`;
}

function bytes(value: number | null): string {
	if (value === null) return "?";
	const gibibytes = value / 1024 ** 3;
	return gibibytes >= 1
		? `${gibibytes.toFixed(1)} GiB`
		: `${Math.floor(value / 1024 ** 2)} MiB`;
}

/** Whom it is about, unless the sentence says so itself. */
function named(host: string | null, what: string): string {
	return host === null || what.split(/[^\w.-]+/).includes(host)
		? what
		: `${host}: ${what}`;
}
