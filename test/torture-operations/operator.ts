import type { Ground } from "./ground.js";

/** Where a run of raftctl is struck. */
export interface Blow {
	/** The ordinal of the step boundary, from 0 on; -1 for the start of the process, where there are no steps. */
	readonly at: number;
	/** 0 for the boundary itself; more for a moment within the step. */
	readonly afterMs: number;
	/** kill: SIGKILL. terminate: SIGTERM, and SIGKILL after ten seconds, as CI systems do. hook: the run's own doing. */
	readonly how: "kill" | "terminate" | "hook";
}

export interface OperatorRun {
	readonly exitCode: number | null;
	/** "step-started n2/drain" and so on, as they came. */
	readonly boundaries: readonly string[];
	/** The boundary at which it was struck; null when it had ended by itself. */
	readonly struckAt: string | null;
	readonly said: string;
	readonly stderr: string;
	readonly pid: number;
}

const terminateLimitMs = 10_000;
/** Only bounds what would hang: a machine that is busy with other things is slow. */
const runLimitMs = 600_000;
const boundaryTypes = new Set(["step-started", "step-finished"]);

/**
 * Runs raftctl and strikes it as the line of a boundary arrives. `hook` is called there instead for a blow that does
 * not hit raftctl itself.
 */
export async function operate(
	ground: Ground,
	argv: readonly string[],
	blow: Blow | null,
	hook: () => void = () => undefined,
): Promise<OperatorRun> {
	const { child, done } = ground.start([...argv, "-o", "ndjson"]);
	const boundaries: string[] = [];
	let struckAt: string | null = null;
	const timers: NodeJS.Timeout[] = [
		setTimeout(() => child.kill("SIGKILL"), runLimitMs),
	];
	const strike = (boundary: string) => {
		if (blow === null || child.exitCode !== null) return;
		struckAt = boundary;
		if (blow.how === "hook") return hook();
		child.kill(blow.how === "kill" ? "SIGKILL" : "SIGTERM");
		if (blow.how === "terminate")
			timers.push(setTimeout(() => child.kill("SIGKILL"), terminateLimitMs));
	};
	const hear = (line: string) => {
		const event = line.startsWith("{") ? JSON.parse(line) : {};
		if (!boundaryTypes.has(event.type)) return;
		const boundary = `${event.type} ${event.step}`;
		boundaries.push(boundary);
		if (boundaries.length - 1 !== blow?.at) return;
		if (blow.afterMs === 0) strike(boundary);
		else timers.push(setTimeout(() => strike(boundary), blow.afterMs));
	};
	if (blow?.at === -1)
		timers.push(setTimeout(() => strike("the start"), blow.afterMs));
	let rest = "";
	child.stdout?.on("data", (chunk: Buffer) => {
		const lines = (rest + chunk.toString()).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) hear(line);
	});
	const { exitCode, stdout, stderr } = await done;
	for (const timer of timers) clearTimeout(timer);
	// A blow that came when all was done already is none.
	if (exitCode === 0 && blow?.how !== "hook") struckAt = null;
	const said = lastLineOf(stdout);
	return { exitCode, boundaries, struckAt, said, stderr, pid: child.pid ?? 0 };
}

function lastLineOf(stdout: string): string {
	return stdout.trimEnd().split("\n").at(-1) ?? "";
}
