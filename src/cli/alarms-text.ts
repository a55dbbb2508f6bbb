import type { AlarmList, ClearReport } from "../operations/alarms.js";
import { textTable } from "./text-table.js";

export function alarmsText({ cluster, alarms }: AlarmList): string {
	return alarms.length === 0
		? `no alarm stands in ${cluster}`
		: textTable(
				["ALARM", "NODE", "WHAT WAS FOUND"],
				alarms.map(({ kind, node, message }) => [kind, node, message]),
			);
}

export function clearedText(
	node: string,
	{ cleared }: Pick<ClearReport, "cleared">,
): string {
	return cleared.length === 0
		? `no alarm about ${node} stood`
		: `ended about ${node}: ${cleared.map(({ kind }) => kind).join(", ")}`;
}
