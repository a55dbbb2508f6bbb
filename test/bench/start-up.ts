import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { withCluster } from "./raftd.js";
import { median } from "./statistics.js";

const root = resolve(import.meta.dirname, "../..");
const raftctl = join(root, "dist/src/main.js");

export interface StartUp {
	readonly command: string;
	readonly medianMs: number;
	/** Of bare `node -e 0`, run by run. */
	readonly ratio: number;
}

/** Whole-process times beside bare Node.js, taken in turn; NODE_EXTRA_CA_CERTS costs 60 ms and is unset for all. */
export function measureStartUp(runs: number): Promise<StartUp[]> {
	const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
	return withCluster(16_500, async ({ directory }) => {
		const commands: Record<string, string[]> = {
			"node -e 0": ["-e", "0"],
			"raftctl --version": [raftctl, "--version"],
			"raftctl --help": [raftctl, "--help"],
			"raftctl status": [raftctl, "status"],
		};
		const times = new Map<string, number[]>();
		for (let run = 0; run < runs; run++) {
			for (const [name, argv] of Object.entries(commands)) {
				const sinceMs = performance.now();
				spawnSync(process.execPath, argv, { cwd: directory, env });
				times.set(name, [
					...(times.get(name) ?? []),
					performance.now() - sinceMs,
				]);
			}
		}
		const bare = times.get("node -e 0") ?? [];
		return [...times].map(([command, taken]) => ({
			command,
			medianMs: Number(median(taken).toFixed(1)),
			ratio: Number(
				median(taken.map((ms, at) => ms / (bare[at] ?? Number.NaN))).toFixed(2),
			),
		}));
	});
}
