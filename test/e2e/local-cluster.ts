import { type ChildProcess, spawn } from "node:child_process";
import { appendFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The built program, as test/cli/raftctl.ts finds it. */
const raftctl =
	process.env.RAFTCTL_MAIN ??
	resolve(import.meta.dirname, "../../dist/raftctl.cjs");

export interface Outcome {
	readonly exitCode: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface RunningRaftctl {
	readonly child: ChildProcess;
	readonly done: Promise<Outcome>;
}

/** Most tests show nothing by the waits of a roll. */
const briskRoll = "roll: { settle: 200ms, closeOver: 500ms }";

/**
 * A cluster of real processes on this machine, made and driven by the real commands in a directory of its own. Each
 * test file takes a port base of its own, as files run at the same time.
 */
export class LocalCluster {
	readonly directory: string;
	readonly portBase: number;

	static async create(options: {
		portBase: number;
		nodes?: number;
		/** By default; else it rolls at the pace that users have. */
		isBrisk?: boolean;
	}): Promise<LocalCluster> {
		const directory = await mkdtemp(join(tmpdir(), "raftctl-e2e-"));
		const cluster = new LocalCluster(directory, options.portBase);
		const nodes = options.nodes ?? 3;
		await cluster.succeed([
			"init",
			"--name",
			`e2e-${options.portBase}`,
			"--nodes",
			`${nodes}`,
			"--port-base",
			`${options.portBase}`,
		]);
		if (options.isBrisk ?? true)
			await appendFile(cluster.file, `\n${briskRoll}\n`);
		return cluster;
	}

	private constructor(directory: string, portBase: number) {
		this.directory = directory;
		this.portBase = portBase;
	}

	get file(): string {
		return join(this.directory, "cluster.yaml");
	}

	/** Starts raftctl; `child` can be killed at any moment, `done` tells how it ended. */
	start(argv: readonly string[]): RunningRaftctl {
		return startRaftctl(argv, { directory: this.directory });
	}

	run(argv: readonly string[]): Promise<Outcome> {
		return this.start(argv).done;
	}

	/** Runs raftctl and throws with all it said unless it exits with 0. */
	async succeed(argv: readonly string[]): Promise<Outcome> {
		const outcome = await this.run(argv);
		if (outcome.exitCode === 0) return outcome;
		throw new Error(
			`raftctl ${argv.join(" ")} ended with ${outcome.exitCode}\n${outcome.stdout}\n${outcome.stderr}`,
		);
	}

	// biome-ignore lint/suspicious/noExplicitAny: a test reads what it asserts on
	async json(argv: readonly string[]): Promise<any> {
		const { stdout } = await this.succeed([...argv, "--json"]);
		return JSON.parse(stdout);
	}

	/** The process of `name` ("n1", "balancer"), from its pid file. */
	async pidOf(name: string): Promise<number> {
		const files = await filesBelow(join(this.directory, ".raftctl"));
		const path = files.find((file) => file.endsWith(`/${name}/pid`));
		if (path === undefined) throw new Error(`no pid file for ${name}`);
		return Number.parseInt(await readFile(path, "utf8"), 10);
	}

	/** The data directory of a node. */
	async dataOf(id: string): Promise<string> {
		const files = await filesBelow(join(this.directory, ".raftctl"));
		const path = files.find((file) =>
			file.endsWith(`/${id}/data/identity.json`),
		);
		if (path === undefined) throw new Error(`no data of ${id}`);
		return dirname(path);
	}

	/** Frees what an operator who was killed has left, where it is not the lapse of its lock that is to be shown. */
	async releaseLock(): Promise<void> {
		await this.succeed(["lock", "release", "--yes"]);
	}

	async signal(name: string, signal: NodeJS.Signals): Promise<void> {
		process.kill(await this.pidOf(name), signal);
	}

	/** Kills whatever is left and removes everything. */
	async dispose(): Promise<void> {
		const files = await filesBelow(join(this.directory, ".raftctl"));
		for (const path of files.filter((file) => file.endsWith("/pid"))) {
			try {
				process.kill(Number.parseInt(await readFile(path, "utf8"), 10), 9);
			} catch {
				// It is gone already.
			}
		}
		await rm(this.directory, { recursive: true, force: true });
	}
}

async function filesBelow(directory: string): Promise<string[]> {
	const entries = await readdir(directory, {
		recursive: true,
		withFileTypes: true,
	}).catch(() => []);
	return entries
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Runs raftctl in `directory`, with `environment` on top of this process's own. */
export function startRaftctl(
	argv: readonly string[],
	options: { directory: string; environment?: Record<string, string> },
): RunningRaftctl {
	const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
	const child = spawn(process.execPath, [raftctl, ...argv], {
		cwd: options.directory,
		env: { ...inherited, ...options.environment },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const stdout: Buffer[] = [];
	const stderr: Buffer[] = [];
	child.stdout.on("data", (chunk) => stdout.push(chunk));
	child.stderr.on("data", (chunk) => stderr.push(chunk));
	const done = new Promise<Outcome>((settle) => {
		child.once("close", (exitCode) =>
			settle({
				exitCode,
				stdout: Buffer.concat(stdout).toString(),
				stderr: Buffer.concat(stderr).toString(),
			}),
		);
	});
	return { child, done };
}

/** Looks again until it holds; the limit only bounds a test that would fail anyway. */
export async function eventually<T>(
	look: () => Promise<T | false | null | undefined>,
	what: string,
	limitMs = 30_000,
): Promise<T> {
	const endMs = performance.now() + limitMs;
	for (;;) {
		const found = await look();
		if (found) return found;
		if (performance.now() > endMs) throw new Error(`it never came: ${what}`);
		await new Promise((wake) => setTimeout(wake, 50));
	}
}
