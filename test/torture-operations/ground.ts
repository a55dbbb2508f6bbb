import {
	existsSync,
	mkdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
	type Outcome,
	type RunningRaftctl,
	startRaftctl,
} from "../e2e/local-cluster.js";
import { type Material, materialIn } from "./admin.js";
import type { Setting } from "./piece.js";

/** Numbers of the nodes that can ever be: more than any operation needs at once. */
const nodeNumbers = [1, 2, 3, 4, 5, 6];
/** Only bounds what would hang. */
const commandLimitMs = 600_000;

const appName = "app.js";

interface GroundSetting extends Setting {
	/** Data directories that lie elsewhere, by node. */
	readonly data?: ReadonlyMap<string, string>;
}

/** Where a node answers. */
export interface Place {
	readonly id: string;
	readonly admin: string;
	readonly client: string;
	/** Of this moment; absent where nodes speak plain text. */
	readonly tls?: () => Material;
}

/** One cluster of real processes on this machine, as the real raftctl makes it, and the directory with all of it. */
export class Ground {
	readonly directory: string;
	readonly portBase: number;
	readonly places: readonly Place[];
	/** Undefined where nodes speak plain text. */
	readonly tls: (() => Material) | undefined;
	readonly #data: ReadonlyMap<string, string>;
	readonly #setting: Setting;
	readonly #running = new Set<RunningRaftctl>();

	constructor(
		directory: string,
		portBase: number,
		setting: GroundSetting = {},
	) {
		this.directory = directory;
		this.portBase = portBase;
		this.#setting = setting;
		const certificates = join(directory, ".raftctl/torture/certs");
		if (setting.tls) this.tls = () => materialIn(certificates);
		this.#data = setting.data ?? new Map();
		this.places = nodeNumbers.map((number) => ({
			id: `n${number}`,
			admin: `127.0.0.1:${portBase + number * 10 + 2}`,
			client: `127.0.0.1:${portBase + number * 10 + 1}`,
			...(this.tls === undefined ? {} : { tls: this.tls }),
		}));
		mkdirSync(directory, { recursive: true });
		if (setting.app !== undefined)
			writeFileSync(join(directory, appName), setting.app);
	}

	get balancer(): string {
		return `127.0.0.1:${this.portBase}`;
	}

	place(id: string): Place {
		const found = this.places.find((place) => place.id === id);
		if (found === undefined) throw new Error(`no place for ${id}`);
		return found;
	}

	/** Writes the cluster file for these members. Pace and timeouts are short, so that a run holds many rounds. */
	async writeClusterFile(
		voters: readonly string[],
		learners: readonly string[] = [],
	): Promise<void> {
		const entry = (id: string, role: string) => {
			const data = this.#data.get(id);
			const where = data === undefined ? "" : `, data: ${data}`;
			return `  - { id: ${id}, role: ${role}${where} }`;
		};
		const nodes = [
			...voters.map((id) => entry(id, "voter")),
			...learners.map((id) => entry(id, "learner")),
		];
		await writeFile(
			join(this.directory, "cluster.yaml"),
			`name: torture
id: torture-${this.portBase}
nodes:
${nodes.join("\n")}
portBase: ${this.portBase}
balancer: { kind: embedded, checkInterval: 50ms }
timing: { electionTimeout: 500ms, heartbeatInterval: 50ms }
roll: { settle: 0ms, closeOver: 200ms }
${this.#setting.app === undefined ? "" : `app: ./${appName}\n`}${this.#setting.tls ? "tls: {}\n" : ""}`,
		);
	}

	start(argv: readonly string[]): RunningRaftctl {
		const running = startRaftctl(argv, { directory: this.directory });
		this.#running.add(running);
		void running.done.then((outcome) => {
			this.#running.delete(running);
			return this.note(`raftctl ${argv.join(" ")} (${running.child.pid})`, [
				`exit ${outcome.exitCode}`,
				outcome.stdout.slice(-4000),
				outcome.stderr.slice(-4000),
			]);
		});
		return running;
	}

	/** Runs it undisturbed; one that never ends is killed. */
	async run(argv: readonly string[]): Promise<Outcome> {
		const running = this.start(argv);
		const limit = setTimeout(
			() => running.child.kill("SIGKILL"),
			commandLimitMs,
		);
		try {
			return await running.done;
		} finally {
			clearTimeout(limit);
		}
	}

	async succeed(argv: readonly string[]): Promise<Outcome> {
		const outcome = await this.run(argv);
		if (outcome.exitCode === 0) return outcome;
		throw new Error(
			`raftctl ${argv.join(" ")} ended with ${outcome.exitCode}\n${outcome.stdout.slice(-2000)}\n${outcome.stderr}`,
		);
	}

	// biome-ignore lint/suspicious/noExplicitAny: callers read what they look for
	async json(argv: readonly string[]): Promise<any> {
		return JSON.parse((await this.succeed([...argv, "--json"])).stdout);
	}

	/** Into the run's own log, which is kept when something is wrong. */
	async note(what: string, more: readonly string[] = []): Promise<void> {
		const lines = [`${new Date().toISOString()} ${what}`, ...more];
		const text = lines.filter((line) => line !== "").join("\n");
		// After the end the directory may be gone.
		await appendFile(join(this.directory, "story.log"), `${text}\n`).catch(
			() => undefined,
		);
	}

	pidOf(id: string): number | null {
		const path = join(this.#home(id), "pid");
		const text = existsSync(path) ? readFileSync(path, "utf8") : "";
		const pid = Number.parseInt(text, 10);
		return Number.isInteger(pid) ? pid : null;
	}

	isRunning(id: string): boolean {
		const pid = this.pidOf(id);
		if (pid === null) return false;
		try {
			const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
			const state = readFileSync(`/proc/${pid}/stat`, "utf8");
			return line.includes(this.directory) && !state.includes(") Z ");
		} catch {
			return false;
		}
	}

	/** Returns whether there was one to kill. */
	signal(id: string, signal: NodeJS.Signals): boolean {
		const pid = this.pidOf(id);
		if (pid === null || !this.isRunning(id)) return false;
		process.kill(pid, signal);
		return true;
	}

	/** How often each node was started so far: each process says so in its log, with its own id. */
	async starts(): Promise<Map<string, number>> {
		const counts = new Map<string, number>();
		for (const { id } of this.places) {
			const texts = await Promise.all(
				["log.1", "log"].map((name) =>
					readFile(join(this.#home(id), name), "utf8").catch(() => ""),
				),
			);
			counts.set(id, texts.join("").split(startLine).length - 1);
		}
		return counts;
	}

	/** A node that is no member any more gets an empty disk, as a new machine would have it. */
	async wipe(id: string): Promise<void> {
		this.signal(id, "SIGKILL");
		while (this.isRunning(id)) await pause(20);
		const home = this.#data.get(id) ?? join(this.#home(id), "data");
		rmSync(home, { recursive: true, force: true });
	}

	/** Ends whatever is left of it. */
	killAll(): void {
		for (const { child } of this.#running) child.kill("SIGKILL");
		for (const { id } of this.places) this.signal(id, "SIGKILL");
		this.signal("balancer", "SIGKILL");
	}

	#home(id: string): string {
		return join(this.directory, ".raftctl/torture", id);
	}
}

const startLine = / starts n\d+ of torture"/;

export function pause(ms: number): Promise<void> {
	return new Promise((wake) => setTimeout(wake, ms));
}
