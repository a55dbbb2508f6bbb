import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** One measured row: a system under a closed loop of so many clients. Latencies in milliseconds. */
export interface Row {
	readonly system: string;
	readonly clients: number;
	/** Acknowledged, durable writes a second; or linearizable reads. */
	readonly rps: number;
	readonly p50: number;
	readonly p90: number;
	readonly p99: number;
	readonly max: number;
}

export interface Load {
	readonly clients: readonly number[];
	readonly seconds: number;
	readonly bytes: number;
	/** How many different ones; 100,000 by default. */
	readonly keys?: number;
	/** Linearizable reads of keys that were written before, instead of writes. */
	readonly reads?: boolean;
}

/** Runs a program that prints one JSON row a line, to its end; its stderr is shown when it fails. */
export async function rowsOf(
	argv: readonly string[],
	environment: Record<string, string> = {},
): Promise<Row[]> {
	const [program, ...rest] = argv as [string, ...string[]];
	const child = spawn(program, rest, {
		env: { ...process.env, ...environment },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const complaints: Buffer[] = [];
	child.stderr.on("data", (chunk) => complaints.push(chunk));
	const rows: Row[] = [];
	for await (const line of createInterface({ input: child.stdout })) {
		if (line.startsWith("{")) rows.push(JSON.parse(line));
	}
	const code = await exitOf(child);
	if (code !== 0 || rows.length === 0) {
		throw new Error(
			`${argv.join(" ")} ended with ${code}:\n${Buffer.concat(complaints)}`,
		);
	}
	return rows;
}

function exitOf(child: ChildProcess): Promise<number | null> {
	if (child.exitCode !== null) return Promise.resolve(child.exitCode);
	return new Promise((resolve) => child.once("exit", resolve));
}
