import type { BackendStatus } from "../balancer.js";
import { sectionNames } from "./names.js";

/** What `show stat` says of one server, by the names of its columns. */
type StatLine = Readonly<Record<string, string>>;

/** The lines of `show stat`; empty when it is something else. Pure. */
export function parseStat(answer: string): readonly StatLine[] {
	const [header = "", ...lines] = answer
		.split("\n")
		.filter((line) => line !== "");
	if (!header.startsWith("# pxname,")) return [];
	const columns = header.slice(2).split(",");
	return lines.map((line) => {
		const cells = cellsOf(line);
		return Object.fromEntries(
			columns.map((column, at) => [column, cells[at] ?? ""]),
		);
	});
}

/** CSV, in which a cell may be in quotes. */
function cellsOf(line: string): string[] {
	const cells: string[] = [];
	for (const match of line.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)) {
		const cell = match[1] ?? "";
		cells.push(
			cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
		);
		if (match[2] === "") break;
	}
	return cells;
}

/** One host's view of the cluster's nodes, in the order of its configuration; empty when that has none of them. */
export function backendsIn(
	answer: string,
	cluster: string,
): readonly BackendStatus[] {
	const { main, moved } = sectionNames(cluster);
	const servers = parseStat(answer).filter(
		({ svname }) => svname !== "FRONTEND" && svname !== "BACKEND",
	);
	const connections = (node: string) =>
		servers
			.filter(({ pxname, svname }) => svname === node && pxname === moved)
			.reduce((sum, { scur }) => sum + Number(scur), 0);
	return servers
		.filter(({ pxname }) => pxname === main)
		.map((line) => {
			const node = line.svname ?? "";
			const { state, reason } = judge(line);
			return {
				node,
				admitting: state === "up",
				state,
				connections: Number(line.scur) + connections(node),
				reason,
			};
		});
}

/** "UP", "UP 1/3", "DRAIN (agent)", "DOWN (agent)", "MAINT", "NOLB", "no check". One that starts slowly is up. */
function judge(line: StatLine): Pick<BackendStatus, "state" | "reason"> {
	const { status = "" } = line;
	if (status.startsWith("UP") || status === "no check")
		return { state: "up", reason: "" };
	if (status.startsWith("DRAIN") || status.startsWith("NOLB")) {
		const byAgent = status.includes("agent");
		return { state: "drain", reason: byAgent ? "draining" : byHand };
	}
	if (status.startsWith("MAINT"))
		return { state: "down", reason: "in maintenance, which somebody set" };
	return { state: "down", reason: downReason(line) };
}

const byHand = "drained at HAProxy, by hand or by a weight of 0";

function downReason({ check_status, agent_status, ...line }: StatLine): string {
	const { last_agt = "", agent_desc = "", check_desc = "", last_chk } = line;
	if (agent_status === "L7STS" && line.status?.includes("agent"))
		return `unready: ${last_agt === "" ? agent_desc : last_agt}`;
	const detail =
		last_chk === "" || last_chk === undefined ? "" : `: ${last_chk}`;
	return `${check_desc === "" ? (check_status ?? "not checked yet") : check_desc}${detail}`;
}
