import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import type { Figure } from "./figures.js";

const root = resolve(import.meta.dirname, "../..");
const rounds = 3;
const seeds = 100;

/** Steps of the simulator on one core. */
export async function simulatorFigures(): Promise<Figure[]> {
	return Array.from({ length: rounds }, (_, round) => {
		const { stdout, stderr } = spawnSync(
			process.execPath,
			[join(root, "scripts/sim.mjs"), "--seeds", `${seeds}`, "--json"],
			{ encoding: "utf8", cwd: root, maxBuffer: 64 * 1024 * 1024 },
		);
		const line = stdout.split("\n").find((one) => one.startsWith("{"));
		if (line === undefined) throw new Error(`no result:\n${stderr}`);
		const { stepsPerSecond, steps, violations } = JSON.parse(line);
		return {
			name: `simulator, round ${round + 1}`,
			...{ value: stepsPerSecond, unit: "steps/s", atLeast: 50_000 },
			note: `${steps} steps, ${violations} violations`,
		};
	});
}
