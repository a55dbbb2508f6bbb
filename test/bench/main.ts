/**
 * How fast, beside whom. raftd, the peer (three etcd servers) and the floor (the least that any Node.js leader must do)
 * run in turn on this machine, round after round; what counts are the medians of the ratios within a round.
 *
 *   npm run bench -- [--rounds 3] [--seconds 4] [--bytes 256] [--clients 1,16,64,256,1000] [--json]
 *
 * Each system is warmed up by a first row that does not count: JavaScript is compiled while it runs.
 *
 * --json prints {"rows":[…],"ratios":[…],"startUp":[…]}; rows are medians over the rounds.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { raftdRows } from "./raftd.js";
import { measureStartUp, type StartUp } from "./start-up.js";
import { median, spread } from "./statistics.js";
import { type Load, type Row, rowsOf } from "./systems.js";

const peer = resolve(import.meta.dirname, "peer");

const { values } = parseArgs({
	options: {
		rounds: { type: "string", default: "3" },
		seconds: { type: "string", default: "4" },
		bytes: { type: "string", default: "256" },
		clients: { type: "string", default: "1,16,64,256,1000" },
		json: { type: "boolean", default: false },
	},
});
const warmUpClients = 16;
const clientCounts = values.clients.split(",").map(Number);
const load: Load = {
	clients: [warmUpClients, ...clientCounts],
	seconds: Number(values.seconds),
	bytes: Number(values.bytes),
};

const systems: Record<string, () => Promise<Row[]>> = {
	raftd: () => raftdRows(load),
	etcd: () =>
		rowsOf([
			"bash",
			`${peer}/etcd.sh`,
			"-clients",
			load.clients.join(","),
			"-duration",
			`${load.seconds}s`,
			"-bytes",
			values.bytes,
		]),
	floor: () =>
		rowsOf([
			process.execPath,
			`${peer}/floor.mjs`,
			"--clients",
			load.clients.join(","),
			"--seconds",
			values.seconds,
			"--bytes",
			values.bytes,
		]),
};

interface Ratio {
	readonly of: string;
	readonly to: string;
	readonly clients: number;
	/** Writes a second, raftd's over the other's. */
	readonly rps: { median: number; min: number; max: number };
	readonly p99: { median: number; min: number; max: number };
}

const rounds: Row[][] = [];
for (let round = 1; round <= Number(values.rounds); round++) {
	const rows: Row[] = [];
	for (const [name, run] of Object.entries(systems)) {
		process.stderr.write(`round ${round}: ${name}\n`);
		rows.push(...(await run()).slice(1));
	}
	rounds.push(rows);
}
process.stderr.write("start-up\n");
const startUp = await measureStartUp(15);
const rows = Object.keys(systems).flatMap((system) =>
	clientCounts.map((clients) => medianRow(system, clients)),
);
const ratios = ["etcd", "floor"].flatMap((other) =>
	clientCounts.map((clients) => ratioTo(other, clients)),
);
if (values.json) console.log(JSON.stringify({ rows, ratios, startUp }));
else console.log(report(rows, ratios, startUp));

function rowsFor(system: string, clients: number): Row[] {
	return rounds.flatMap((of) =>
		of.filter((row) => row.system === system && row.clients === clients),
	);
}

function medianRow(system: string, clients: number): Row {
	const own = rowsFor(system, clients);
	const of = (pick: (row: Row) => number) => median(own.map(pick));
	return {
		system,
		clients,
		rps: of((row) => row.rps),
		p50: of((row) => row.p50),
		p90: of((row) => row.p90),
		p99: of((row) => row.p99),
		max: of((row) => row.max),
	};
}

function ratioTo(other: string, clients: number): Ratio {
	const own = rowsFor("raftd", clients);
	const theirs = rowsFor(other, clients);
	const of = (pick: (row: Row) => number) => {
		const { median, min, max } = spread(
			own.map((row, round) => pick(row) / pick(theirs[round] as Row)),
		);
		return { median: rounded(median), min: rounded(min), max: rounded(max) };
	};
	return {
		of: "raftd",
		to: other,
		clients,
		rps: of((row) => row.rps),
		p99: of((row) => row.p99),
	};
}

function rounded(value: number): number {
	return Number(value.toFixed(2));
}

function report(rows: Row[], ratios: Ratio[], startUp: StartUp[]): string {
	const table = [
		["system", "clients", "writes/s", "p50 ms", "p99 ms", "× etcd", "× floor"],
		...rows.map(({ system, clients, rps, p50, p99 }) => [
			system,
			`${clients}`,
			`${rps}`,
			`${p50}`,
			`${p99}`,
			system === "raftd" ? ratioText(ratios, "etcd", clients) : "",
			system === "raftd" ? ratioText(ratios, "floor", clients) : "",
		]),
	];
	const starts = [
		["command", "ms", "× node -e 0"],
		...startUp.map(({ command, medianMs, ratio }) => [
			command,
			`${medianMs}`,
			`${ratio}`,
		]),
	];
	return `${columns(table)}\n\n${columns(starts)}`;
}

function ratioText(ratios: Ratio[], to: string, clients: number): string {
	const found = ratios.find((one) => one.to === to && one.clients === clients);
	if (found === undefined) return "";
	const { median, min, max } = found.rps;
	return `${median} (${min}–${max})`;
}

function columns(table: string[][]): string {
	const widths = (table[0] ?? []).map((_, at) =>
		Math.max(...table.map((row) => (row[at] ?? "").length)),
	);
	return table
		.map((row) =>
			row
				.map((cell, at) => cell.padEnd(widths[at] ?? 0))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}
