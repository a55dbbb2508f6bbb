import { load, type Measured } from "./measure.js";
import { drainMs } from "./scripts.js";

/** The names are those of the JSON. */
export interface Comparison {
	readonly raftctl: Measured;
	readonly script: Measured;
	readonly drainScript: Measured;
	readonly etcdScript: Measured;
}

const titles: Readonly<Record<keyof Comparison, string>> = {
	raftctl: "raftctl rolling-restart",
	script: "script",
	drainScript: "script with drain",
	etcdScript: "etcd, script",
};

const columns = [
	...["", "failed", "slowest write", "without leader", "moved twice", "in all"],
];

/** As lines. */
export function tableOf(comparison: Comparison): string[] {
	const rows = (Object.keys(titles) as (keyof Comparison)[]).map((way) => {
		const measured = comparison[way];
		const { failed, slowestMs, leaderlessMs, movedTwice, totalMs } = measured;
		return [
			...[titles[way], `${failed}`, `${slowestMs} ms`, `${leaderlessMs} ms`],
			...[movedTwice === null ? "-" : `${movedTwice}`],
			`${(totalMs / 1_000).toFixed(1)} s`,
		];
	});
	const all = [columns, ...rows];
	const widths = columns.map((_, at) =>
		Math.max(...all.map((row) => row[at]?.length ?? 0)),
	);
	return all.map((row) =>
		row
			.map((cell, at) => {
				const width = widths[at] ?? 0;
				return at === 0 ? cell.padEnd(width) : cell.padStart(width);
			})
			.join("  "),
	);
}

export const notes: readonly string[] = [
	`Each under ${load.writesPerSecond} writes a second through HAProxy, sent when due and never again, ${load.subscribers} WebSockets beside them.`,
	"script: for each node, systemctl restart and wait for the port.",
	`script with drain: the same between "set server … state drain", ${drainMs / 1_000} s, and "state ready".`,
	"etcd: its JSON gateway under the same writes, behind the same HAProxy as the scripts. It has no WebSockets.",
];
