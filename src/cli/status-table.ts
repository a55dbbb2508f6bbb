import type {
	BalancerReport,
	NodeReport,
	StatusReport,
} from "../operations/status.js";
import { lockLeftMs } from "./lock-text.js";
import { longDurationText } from "./progress/duration.js";
import { textTable } from "./text-table.js";

/** `raftctl status` for people: a table of nodes, and sentences about the whole. `nowMs` is Unix time. */
export function statusText(report: StatusReport, nowMs: number): string {
	return [
		headline(report),
		"",
		textTable(
			columns,
			report.nodes.map((node) => rowOf(node, report)),
		),
		...sentences("safe to stop now", stopLines(report)),
		...sentences("balancer", balancerLines(report.balancer)),
		...sentences("operation", operationLines(report, nowMs)),
		...sentences("snapshots", snapshotLines(report, nowMs)),
		...levelLines(report),
		...sentences("problems", report.problems),
	].join("\n");
}

const columns = [
	"NODE",
	"MEMBER",
	"ROLE",
	"TERM",
	"COMMIT",
	"APPLIED",
	"LAG",
	"CONNS",
	"READY",
	"RELEASE",
];

function headline(report: StatusReport): string {
	const { cluster, leader, nodes, quorum, healthy } = report;
	if (!nodes.some(({ reachable }) => reachable))
		return `cluster ${cluster} does not answer`;
	const { voters, sound, needed, failureTolerance } = quorum;
	const tolerance =
		failureTolerance === 1
			? "1 more voter may fail"
			: failureTolerance === 0
				? "no voter may fail"
				: `${failureTolerance} more voters may fail`;
	return [
		`cluster ${cluster} is ${healthy ? "healthy" : "UNHEALTHY"}`,
		`leader ${leader ?? "unknown"}`,
		`${sound.length} of ${voters.length} voters sound, quorum ${needed}`,
		tolerance,
	].join(" · ");
}

function rowOf(node: NodeReport, { leader }: StatusReport): string[] {
	if (!node.reachable)
		return [
			node.id,
			node.member ?? "-",
			"silent",
			..."-----".split(""),
			"no",
			"-",
		];
	return [
		node.id,
		node.member ?? "-",
		node.id === leader ? "leader" : (node.role ?? "-"),
		number(node.term),
		number(node.commit),
		number(node.applied),
		number(node.lag),
		number(node.connections?.total ?? null),
		readinessOf(node),
		node.release ?? "-",
	];
}

function readinessOf({ stopping, draining, ready }: NodeReport): string {
	if (stopping) return "stopping";
	if (draining) return "draining";
	return ready ? "yes" : "no";
}

function number(value: number | null): string {
	return value === null ? "-" : String(value);
}

function stopLines({ leader, nodes }: StatusReport): readonly string[] {
	return leader === null
		? ["none: no leader that a quorum confirms"]
		: nodes.map(stopSentence);
}

function stopSentence({ id, safeToStop }: NodeReport): string {
	return `${id}: ${safeToStop.safe ? "yes" : "NO"}, ${safeToStop.reason}`;
}

function balancerLines(balancer: BalancerReport | null): readonly string[] {
	if (balancer === null) return [];
	if (!balancer.reachable) return [balancer.fault];
	return balancer.backends.map(
		({ node, state, admitting, connections, reason }) =>
			`${node}: ${state}${admitting ? "" : ", takes no new connections"}, ${connections} connections${reason === "" ? "" : ` (${reason})`}`,
	);
}

function operationLines(
	report: StatusReport,
	nowMs: number,
): readonly string[] {
	return [...unfinishedLines(report), ...lockLines(report, nowMs)];
}

function unfinishedLines({ operation }: StatusReport): readonly string[] {
	if (operation === null) return [];
	const { id, text, state, by, step, pauseRequested, keptBy, next } = operation;
	const asked = pauseRequested ? ", asked to pause" : "";
	const at = step === null ? "" : ` at ${step}`;
	return [
		`${text ?? "one of a newer raftctl"} (${id}) is ${state}${at}${asked}${keptBy === undefined ? "" : ", on the hosts"}${by === null ? "" : `; ${by} had it in hand last`}`,
		...(next.length === 0 ? [] : [`next: ${next.join(", or ")}`]),
	];
}

function snapshotLines(
	{ snapshots }: StatusReport,
	nowMs: number,
): readonly string[] {
	if (snapshots === null || snapshots.schedule === null) return [];
	const { schedule, last, ageMs } = snapshots;
	const places = [
		schedule.directory,
		...(schedule.s3 === null
			? []
			: [`s3://${schedule.s3.bucket}/${schedule.s3.prefix}`]),
	].filter((place) => place !== "");
	const every = longDurationText(schedule.intervalMs);
	const lines = [
		`every ${every}, ${schedule.keep} kept in ${places.join(" and ")}`,
	];
	if (last === null || ageMs === null) lines.push("none has gone well yet");
	else
		lines.push(
			`the last at index ${last.index}, by ${last.node}, ${longDurationText(ageMs)} ago: ${last.file}`,
		);
	if (last !== null && last.fault !== "")
		lines.push(
			`FAILED ${longDurationText(Math.max(0, nowMs - last.attemptedAtMs))} ago: ${last.fault}`,
		);
	return lines;
}

function levelLines({ writeLevel }: StatusReport): readonly string[] {
	return writeLevel === null
		? []
		: ["", `write level ${writeLevel.level}, of release ${writeLevel.release}`];
}

function lockLines({ lock }: StatusReport, nowMs: number): readonly string[] {
	if (lock === null) return [];
	const since = new Date(lock.acquiredAtMs).toISOString();
	const state =
		lockLeftMs(lock, nowMs) <= 0 ? "expired; its holder is gone" : "under way";
	return [
		`${lock.operation} by ${lock.holder} since ${since}, ${state}${lock.step === "" ? "" : `, at ${lock.step}`}`,
	];
}

function sentences(title: string, lines: readonly string[]): readonly string[] {
	return lines.length === 0
		? []
		: ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}
