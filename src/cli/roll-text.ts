import type { RollReport } from "../operations/roll/report.js";
import { textTable } from "./text-table.js";

/** What a roll will cost, or did cost, for people. */
export function rollText(report: RollReport): string {
	return report.dryRun ? planText(report) : costText(report);
}

function planText({ cluster, plan }: RollReport): string {
	return [
		`rolling-restart of ${cluster}, as it would run now; nothing was touched:`,
		"",
		textTable(
			["STEP", "WHAT", "COST"],
			plan.map(({ id, title, cost }) => [id, title, cost]),
		),
	].join("\n");
}

function costText(report: RollReport): string {
	const { cluster, nodes, transfers, leaderless, skipped, durationMs } = report;
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
		...(skipped.length === 0
			? []
			: [`checks left out by name: ${skipped.join(", ")}`]),
	].join("\n");
}

function seconds(ms: number): string {
	return `${(ms / 1000).toFixed(1)} s`;
}
