/**
 * The numbers of this software on this machine.
 *
 *   npm run bench -- [NAME]… [--json] [--keep]
 *     names: throughput, reads, values, http, memory, restart, stall, open-loop, start-up, snapshot, transfer, overload,
 *       operations, simulator; without one it is all of them. profile: where the processors were, only when it is named
 *     --rounds 5  --seconds 4: how often what is compared is measured in turn, and for how long
 *     throughput: --bytes 256  --clients 1,16,64,256,1000
 *     --scale 0.01 for a look: states, logs and long runs of a hundredth
 *     --profile DIRECTORY writes a CPU profile of every raftd
 *     --keep writes results/<date>-<machine>.json, which later runs on such a machine are compared with
 *
 * --json prints one object: {"rows","ratios"} of throughput, and "figures" of all, each {"of", "name", "value", "unit",
 * "atMost"?, "atLeast"?, "holds", "note"?}.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Figure, holds, type Settings, table } from "./figures.js";
import { httpFigures } from "./http.js";
import { memoryFigures } from "./memory.js";
import { openLoopFigures } from "./open-loop.js";
import { operationsFigures } from "./operations.js";
import { overloadFigures } from "./overload.js";
import { profileTables } from "./profile.js";
import { readFigures } from "./reads.js";
import { restartFigures } from "./restart.js";
import { keep, keptBefore } from "./results.js";
import { simulatorFigures } from "./simulator.js";
import { snapshotFigures } from "./snapshot.js";
import { stallFigures } from "./stall.js";
import { startUpFigures } from "./start-up.js";
import {
	measureThroughput,
	type Throughput,
	throughputFigures,
	throughputTable,
} from "./throughput.js";
import { transferFigures } from "./transfer.js";
import { valueFigures } from "./values.js";

const measures: Record<string, (settings: Settings) => Promise<Figure[]>> = {
	reads: readFigures,
	values: valueFigures,
	http: httpFigures,
	memory: memoryFigures,
	restart: restartFigures,
	stall: stallFigures,
	"open-loop": openLoopFigures,
	"start-up": startUpFigures,
	snapshot: snapshotFigures,
	transfer: transferFigures,
	overload: overloadFigures,
	operations: operationsFigures,
	simulator: simulatorFigures,
};

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		rounds: { type: "string", default: "5" },
		seconds: { type: "string", default: "4" },
		bytes: { type: "string", default: "256" },
		clients: { type: "string", default: "1,16,64,256,1000" },
		profile: { type: "string" },
		scale: { type: "string", default: "1" },
		json: { type: "boolean", default: false },
		keep: { type: "boolean", default: false },
	},
});

const all = ["throughput", ...Object.keys(measures)];
const chosen = positionals.length === 0 ? all : positionals;
const unknown = chosen.filter((name) => ![...all, "profile"].includes(name));
if (unknown.length > 0) {
	console.error(
		`no figure is called ${unknown[0]}; there are ${all.join(", ")}, profile`,
	);
	process.exit(2);
}

const settings: Settings = {
	profile: values.profile === undefined ? undefined : resolve(values.profile),
	scale: Number(values.scale),
	rounds: Number(values.rounds),
	seconds: Number(values.seconds),
};
const before = keptBefore();
const figures: (Figure & { readonly of: string })[] = [];
let throughput: Throughput | null = null;
if (chosen.includes("throughput")) {
	process.stderr.write("throughput\n");
	throughput = await measureThroughput(settings, {
		clients: values.clients.split(",").map(Number),
		seconds: settings.seconds,
		bytes: Number(values.bytes),
	});
	for (const figure of throughputFigures(throughput))
		figures.push({ of: "throughput", ...figure });
}
for (const [name, measure] of Object.entries(measures)) {
	if (!chosen.includes(name)) continue;
	process.stderr.write(`${name}\n`);
	for (const figure of await measure(settings))
		figures.push({ of: name, ...figure });
}
const profiles = chosen.includes("profile")
	? await profileTables(settings)
	: [];

if (values.json)
	console.log(
		JSON.stringify({
			...throughput,
			figures: figures.map((one) => ({ ...one, holds: holds(one) })),
		}),
	);
else {
	const tables = [
		...(throughput === null ? [] : [throughputTable(throughput)]),
		...(figures.length === 0 ? [] : [table(figures, before)]),
		...profiles,
	];
	console.log(tables.map(columns).join("\n\n"));
}
if (values.keep)
	process.stderr.write(`kept in ${keep({ ...throughput, figures })}\n`);

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
