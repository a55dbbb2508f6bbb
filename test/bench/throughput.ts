import { resolve } from "node:path";
import type { Figure, Settings } from "./figures.js";
import { raftdRows } from "./raftd.js";
import { median, spread } from "./statistics.js";
import { type Load, type Row, rowsOf } from "./systems.js";

const peer = resolve(import.meta.dirname, "peer");
const warmUpClients = 16;

/** What is asked of raftd, by the number of clients: writes a second over the other's at least, p99 at most. */
const asked: Readonly<Record<string, Readonly<Record<number, Asked>>>> = {
	etcd: {
		1: { rps: 1 },
		16: { rps: 2.5 },
		64: { rps: 4, p99: 0.3 },
		256: { rps: 5, p99: 0.3 },
		1000: { rps: 5, p99: 0.3 },
	},
	floor: {
		1: { rps: 0.8 },
		16: { rps: 0.8 },
		64: { rps: 0.6 },
		256: { rps: 0.6 },
		1000: { rps: 0.6 },
	},
};

interface Asked {
	readonly rps: number;
	readonly p99?: number;
}

/** Medians over the rounds. */
export interface Throughput {
	readonly rows: readonly Row[];
	readonly ratios: readonly Ratio[];
}

interface Ratio {
	readonly of: string;
	readonly to: string;
	readonly clients: number;
	/** Writes a second, raftd's over the other's. */
	readonly rps: { median: number; min: number; max: number };
	readonly p99: { median: number; min: number; max: number };
}

/**
 * How fast, beside whom. raftd, the peer (three etcd servers) and the floor (the least that any Node.js leader must do)
 * run in turn on this machine, round after round; what counts are the medians of the ratios within a round. Each system
 * is warmed up by a first row that does not count: JavaScript is compiled while it runs.
 */
export async function measureThroughput(
	{ rounds }: Settings,
	given: Load,
): Promise<Throughput> {
	const load = { ...given, clients: [warmUpClients, ...given.clients] };
	const measured: Row[][] = [];
	for (let round = 1; round <= rounds; round++) {
		const rows: Row[] = [];
		for (const [name, run] of Object.entries(systems)) {
			process.stderr.write(`round ${round}: ${name}\n`);
			rows.push(...(await run(load)).slice(1));
		}
		measured.push(rows);
	}
	const of = (system: string, clients: number) =>
		measured.flatMap((rows) =>
			rows.filter((row) => row.system === system && row.clients === clients),
		);
	const rows = Object.keys(systems).flatMap((system) =>
		given.clients.map((clients) => medianRow(of(system, clients))),
	);
	const ratios = ["etcd", "floor"].flatMap((other) =>
		given.clients.map((clients) =>
			ratioOf(of("raftd", clients), of(other, clients)),
		),
	);
	return { rows, ratios };
}

const systems: Record<string, (load: Load) => Promise<Row[]>> = {
	raftd: raftdRows,
	etcd: ({ clients, seconds, bytes }) =>
		rowsOf([
			...["bash", `${peer}/etcd.sh`, "-clients", clients.join(",")],
			...["-duration", `${seconds}s`, "-bytes", `${bytes}`],
		]),
	floor: ({ clients, seconds, bytes }) =>
		rowsOf([
			...[process.execPath, `${peer}/floor.mjs`],
			...["--clients", clients.join(",")],
			...["--seconds", `${seconds}`, "--bytes", `${bytes}`],
		]),
};

/** Of the rows of one system and number of clients. */
function medianRow(rows: readonly Row[]): Row {
	const of = (pick: (row: Row) => number) => median(rows.map(pick));
	const { system, clients } = rows[0] as Row;
	return {
		...{ system, clients },
		rps: of((row) => row.rps),
		p50: of((row) => row.p50),
		p90: of((row) => row.p90),
		p99: of((row) => row.p99),
		max: of((row) => row.max),
	};
}

function ratioOf(own: readonly Row[], theirs: readonly Row[]): Ratio {
	const of = (pick: (row: Row) => number) => {
		const { median, min, max } = spread(
			own.map((row, round) => pick(row) / pick(theirs[round] as Row)),
		);
		return { median: rounded(median), min: rounded(min), max: rounded(max) };
	};
	const { system, clients } = own[0] as Row;
	return {
		...{ of: system, to: (theirs[0] as Row).system, clients },
		rps: of((row) => row.rps),
		p99: of((row) => row.p99),
	};
}

function rounded(value: number): number {
	return Number(value.toFixed(2));
}

/** The ratios as figures, with what is asked of them. */
export function throughputFigures({ ratios }: Throughput): Figure[] {
	return ratios.flatMap(({ to, clients, rps, p99 }) => {
		const { rps: atLeast, p99: atMost } = asked[to]?.[clients] ?? {};
		const of = `from ${clients} ${clients === 1 ? "client" : "clients"}, over ${to === "etcd" ? "etcd's" : "the floor's"}`;
		const note = ({ min, max }: Ratio["rps"]) => `${min}–${max}`;
		return [
			{
				...{ name: `writes a second ${of}`, value: rps.median, unit: "×" },
				...(atLeast === undefined ? {} : { atLeast }),
				note: note(rps),
			},
			...(atMost === undefined
				? []
				: [
						{
							...{ name: `p99 of writes ${of}`, value: p99.median, unit: "×" },
							...{ atMost, note: note(p99) },
						},
					]),
		];
	});
}

export function throughputTable({ rows, ratios }: Throughput): string[][] {
	return [
		[
			...["system", "clients", "writes/s", "p50 ms", "p99 ms"],
			...["× etcd", "× floor"],
		],
		...rows.map(({ system, clients, rps, p50, p99 }) => [
			...[system, `${clients}`, `${rps}`, `${p50}`, `${p99}`],
			system === "raftd" ? ratioText(ratios, "etcd", clients) : "",
			system === "raftd" ? ratioText(ratios, "floor", clients) : "",
		]),
	];
}

function ratioText(
	ratios: readonly Ratio[],
	to: string,
	clients: number,
): string {
	const found = ratios.find((one) => one.to === to && one.clients === clients);
	if (found === undefined) return "";
	const { median, min, max } = found.rps;
	return `${median} (${min}–${max})`;
}
