/**
 * The numbers of this software on this machine.
 *
 *   npm run bench -- [throughput|snapshot|transfer|overload|restart|operations|simulator]… [--json]
 *     throughput: --rounds 3  --seconds 4  --bytes 256  --clients 1,16,64,256,1000
 *     operations: --scale 0.01 for a look, with states of a hundredth
 *     the others: --profile DIRECTORY writes a CPU profile of every raftd
 *
 * --json prints one object: {"rows","ratios","startUp"} of throughput, and "figures" of the others, each {"of", "name",
 * "value", "unit", "atMost"?, "atLeast"?, "holds", "note"?}.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Figure, holds, type Settings, table } from "./figures.js";
import { operationsFigures } from "./operations.js";
import { overloadFigures } from "./overload.js";
import { restartFigures } from "./restart.js";
import { simulatorFigures } from "./simulator.js";
import { snapshotFigures } from "./snapshot.js";
import {
	measureThroughput,
	type Throughput,
	throughputTables,
} from "./throughput.js";
import { transferFigures } from "./transfer.js";

const measures: Record<string, (settings: Settings) => Promise<Figure[]>> = {
	snapshot: snapshotFigures,
	transfer: transferFigures,
	overload: overloadFigures,
	restart: restartFigures,
	operations: operationsFigures,
	simulator: simulatorFigures,
};

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		rounds: { type: "string", default: "3" },
		seconds: { type: "string", default: "4" },
		bytes: { type: "string", default: "256" },
		clients: { type: "string", default: "1,16,64,256,1000" },
		profile: { type: "string" },
		scale: { type: "string", default: "1" },
		json: { type: "boolean", default: false },
	},
});

const all = ["throughput", ...Object.keys(measures)];
const chosen = positionals.length === 0 ? all : positionals;
const unknown = chosen.filter((name) => !all.includes(name));
if (unknown.length > 0) {
	console.error(
		`no figure is called ${unknown[0]}; there are ${all.join(", ")}`,
	);
	process.exit(2);
}

let throughput: Throughput | null = null;
if (chosen.includes("throughput"))
	throughput = await measureThroughput(Number(values.rounds), {
		clients: values.clients.split(",").map(Number),
		seconds: Number(values.seconds),
		bytes: Number(values.bytes),
	});
const settings = {
	profile: values.profile === undefined ? undefined : resolve(values.profile),
	scale: Number(values.scale),
};
const figures: (Figure & { readonly of: string })[] = [];
for (const [name, measure] of Object.entries(measures)) {
	if (!chosen.includes(name)) continue;
	process.stderr.write(`${name}\n`);
	for (const figure of await measure(settings))
		figures.push({ of: name, ...figure });
}

if (values.json)
	console.log(
		JSON.stringify({
			...throughput,
			...(figures.length === 0
				? {}
				: { figures: figures.map((one) => ({ ...one, holds: holds(one) })) }),
		}),
	);
else {
	const tables = [
		...(throughput === null ? [] : throughputTables(throughput)),
		...(figures.length === 0 ? [] : [table(figures)]),
	];
	console.log(tables.map(columns).join("\n\n"));
}

function columns(rows: readonly (readonly string[])[]): string {
	const widths = (rows[0] ?? []).map((_, at) =>
		Math.max(...rows.map((row) => (row[at] ?? "").length)),
	);
	return rows
		.map((row) =>
			row
				.map((cell, at) => cell.padEnd(widths[at] ?? 0))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}
