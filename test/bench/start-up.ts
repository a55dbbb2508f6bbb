import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import type { Figure } from "./figures.js";
import { withCluster } from "./raftd.js";
import { median, spread } from "./statistics.js";

const root = resolve(import.meta.dirname, "../..");
const raftctl = join(root, "dist/raftctl.cjs");
const runs = 15;

/** What each may take at most, of bare Node.js. */
const asked: Readonly<Record<string, number>> = {
	"raftctl --version": 1.6,
	"raftctl --help": 3,
	"raftctl status of five nodes": 4.5,
};

/** Whole-process times beside bare Node.js, taken in turn; NODE_EXTRA_CA_CERTS costs 60 ms and is unset for all. */
export function startUpFigures(): Promise<Figure[]> {
	const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
	return withCluster({ portBase: 16_500, nodes: 5 }, async ({ directory }) => {
		const timed = (argv: readonly string[]) => {
			const sinceMs = performance.now();
			spawnSync(process.execPath, argv, { cwd: directory, env });
			return performance.now() - sinceMs;
		};
		const commands: Readonly<Record<string, readonly string[]>> = {
			"raftctl --version": [raftctl, "--version"],
			"raftctl --help": [raftctl, "--help"],
			"raftctl status of five nodes": [raftctl, "status"],
		};
		const bare: number[] = [];
		const taken = Object.keys(commands).map((): number[] => []);
		for (let run = 0; run < runs; run++) {
			bare.push(timed(["-e", "0"]));
			for (const [at, argv] of Object.values(commands).entries())
				taken[at]?.push(timed(argv));
		}
		return Object.keys(commands).map((command, at) => {
			const times = taken[at] ?? [];
			const ratio = spread(
				times.map((ms, run) => ms / (bare[run] ?? Number.NaN)),
			);
			const spreadText = `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`;
			return {
				name: `${command}, of node -e 0`,
				...{ value: ratio.median, unit: "×", atMost: asked[command] ?? 0 },
				note: `${spreadText} in ${runs} runs; ${median(times).toFixed(1)} ms and ${median(bare).toFixed(1)} ms`,
			};
		});
	});
}
