import type { DeployReport } from "../operations/deploy/report.js";
import type { DestroyReport } from "../operations/destroy/destroy.js";

/** What was done on each host, and what is left to others. */
export function deployText(report: DeployReport): string {
	const { cluster, hosts, leader, started, needRestart, needUpgrade, release } =
		report;
	return [
		leader === null
			? `hosts of ${cluster} are set up; nothing was started`
			: `cluster ${cluster} is deployed; ${leader} leads`,
		...hosts.map(
			({ host, did }) =>
				`${host}: ${did.length === 0 ? "nothing to do" : did.join("; ")}`,
		),
		...(started.length > 0 ? [`started: ${started.join(", ")}`] : []),
		...(needRestart.length > 0
			? [
					`run with an older unit or configuration: ${needRestart.join(", ")}; ${commandOn("raftctl rolling-restart", needRestart, report)}`,
				]
			: []),
		...(needUpgrade.length > 0
			? [
					`keep another release: ${needUpgrade.join(", ")}; ${commandOn(`raftctl upgrade --to ${release}`, needUpgrade, report)}`,
				]
			: []),
	].join("\n");
}

/** Of all nodes there are none to name. */
function commandOn(
	command: string,
	nodes: readonly string[],
	{ started, alreadyRunning }: DeployReport,
): string {
	const isAll = nodes.length === started.length + alreadyRunning.length;
	return isAll
		? command
		: [command, ...nodes.map((id) => `--node ${id}`)].join(" ");
}

export function destroyText({
	cluster,
	emptied,
	left,
	stays,
}: DestroyReport): string {
	return [
		left.length === 0
			? `cluster ${cluster} is gone from ${emptied.join(", ")}`
			: `cluster ${cluster} is not gone from every host; raftctl destroy goes on once they are mended`,
		...left.map(({ host, why }) => `${host}: it is left: ${why}`),
		`these stay: ${stays.join("; ")}`,
	].join("\n");
}
