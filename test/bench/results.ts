import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { Figure } from "./figures.js";
import type { Throughput } from "./throughput.js";

const repository = resolve(import.meta.dirname, "results");
const gibibyte = 2 ** 30;

export interface Measured extends Partial<Throughput> {
	readonly figures: readonly (Figure & { readonly of: string })[];
}

interface Kept extends Measured {
	/** ISO 8601, of the day. */
	readonly date: string;
	readonly machine: Machine;
	readonly commit: string;
}

/** What figures depend on besides the code. */
interface Machine {
	readonly name: string;
	readonly processor: string;
	readonly cores: number;
	readonly memoryGiB: number;
	readonly kernel: string;
	readonly node: string;
	readonly etcd: string;
}

/** Keeps results in the repository, one file a day and machine; a measure that ran again replaces its former figures. */
export function keep(
	measured: Measured,
	{ directory = repository, now = new Date() } = {},
): string {
	const machine = thisMachine();
	const date = now.toISOString().slice(0, 10);
	const path = join(directory, `${date}-${machine.name}.json`);
	const former = existsSync(path) ? read(path) : null;
	const again = new Set(measured.figures.map(({ of }) => of));
	const kept: Kept = {
		...{ date, machine, commit: firstLine("git", ["rev-parse", "HEAD"]) },
		...(former?.rows === undefined
			? {}
			: { rows: former.rows, ratios: former.ratios ?? [] }),
		...measured,
		figures: [
			...(former?.figures ?? []).filter(({ of }) => !again.has(of)),
			...measured.figures,
		],
	};
	mkdirSync(directory, { recursive: true });
	writeFileSync(path, `${JSON.stringify(kept, null, "\t")}\n`);
	return path;
}

/** What was kept last of a machine like this one: figures of another say nothing here. */
export function keptBefore(
	directory = repository,
): (figure: Figure & { readonly of?: string }) => number | undefined {
	const { name } = thisMachine();
	const last = (existsSync(directory) ? readdirSync(directory) : [])
		.filter((file) => file.endsWith(`-${name}.json`))
		.sort()
		.at(-1);
	const figures = last === undefined ? [] : read(join(directory, last)).figures;
	return (figure) =>
		figures.find((one) => one.of === figure.of && one.name === figure.name)
			?.value;
}

function thisMachine(): Machine {
	const processor = cpus()[0]?.model.trim() ?? "unknown";
	const cores = availableParallelism();
	const words = processor.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
	return {
		name: `${words.replaceAll(/^-|-$/g, "")}-${cores}-cores`,
		...{ processor, cores, kernel: release(), node: process.version },
		memoryGiB: Math.round(totalmem() / gibibyte),
		etcd: firstLine("etcd", ["--version"]).replace(/^etcd Version: /, ""),
	};
}

function read(path: string): Kept {
	return JSON.parse(readFileSync(path, "utf8"));
}

function firstLine(program: string, argv: readonly string[]): string {
	const { stdout } = spawnSync(program, argv, {
		encoding: "utf8",
		cwd: import.meta.dirname,
	});
	return stdout?.split("\n", 1)[0] ?? "";
}
