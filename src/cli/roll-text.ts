import type { RollReport } from "../operations/roll/report.js";
import { planText } from "./plan-text.js";
import { canaryLines } from "./report-cost.js";
import { textTable } from "./text-table.js";

/** What a roll did cost, for people; of one that was only planned, what it will cost. */
export function rollText(report: RollReport): string {
	if (report.dryRun) return planText(report);
	const { cluster, nodes, transfers, leaderless, skipped, cost, durationMs } =
		report;
	return [
		`restarted ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"} of ${cluster} in ${seconds(durationMs)}`,
		"",
		textTable(
			["NODE", "CONNECTIONS MOVED", "DRAIN", "DOWN"],
			nodes.map((node) => [
				node.node,
				String(node.connectionsMoved),
				seconds(node.drainMs),
				seconds(node.downtimeMs),
			]),
		),
		"",
		...transfers.map(
			({ from, to, durationMs: tookMs }) =>
				`leadership went from ${from} to ${to} in ${Math.round(tookMs)} ms`,
		),
		`without a leader: ${Math.round(leaderless.maxMs)} ms at most, ${Math.round(leaderless.totalMs)} ms in all`,
		...(cost === null ? [] : canaryLines(cost)),
		...(skipped.length === 0
			? []
			: [`checks left out by name: ${skipped.join(", ")}`]),
	].join("\n");
}

function seconds(ms: number): string {
	return `${(ms / 1000).toFixed(1)} s`;
}
