import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

/** Where the nodes that live there one after the other are reached. */
export interface Place {
	readonly name: string;
	/** At which the other nodes find it: a link proxy. */
	readonly peer: string;
	/** Where it listens itself. */
	readonly peerListen: string;
	readonly client: string;
	readonly admin: string;
}

export interface Launch {
	/** raftd, and the machine that it runs. */
	readonly program: string;
	readonly machine: string;
	/** Loaded first: lets the node's wall clock be set. */
	readonly clock: string;
	/** What node.yaml says beyond who the node is. */
	readonly config: object;
}

/** One member: a data directory and the process that uses it, killed and started any number of times. */
export class NodeProcess {
	readonly id: string;
	readonly place: Place;
	/** Holds node.yaml, the data, and the log of all its processes. */
	readonly directory: string;
	readonly #launch: Launch;
	#child: ChildProcess | null = null;
	#ended: Promise<void> = Promise.resolve();
	#killed = false;
	/** It has not been a member yet: it may be added under its name. */
	isNew = false;
	/** Ends that nobody asked for, in words. */
	readonly accidents: string[] = [];

	constructor(
		id: string,
		place: Place,
		options: { readonly directory: string; readonly launch: Launch },
	) {
		this.id = id;
		this.place = place;
		this.directory = join(options.directory, id);
		this.#launch = options.launch;
	}

	get running(): boolean {
		return this.#child !== null;
	}

	/** `members` is the first configuration; a node with a log knows its own. */
	start(members: readonly object[], joins: boolean): void {
		if (this.#child !== null) return;
		const { peerListen: peer, client, admin } = this.place;
		const file = join(this.directory, "node.yaml");
		mkdirSync(this.directory, { recursive: true });
		writeFileSync(
			file,
			stringify({
				...this.#launch.config,
				node: this.id,
				data: join(this.directory, "data"),
				listen: { peer, client, admin },
				...{ members, join: joins },
				app: this.#launch.machine,
			}),
		);
		const log = openSync(join(this.directory, "log"), "a");
		const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
		const child = spawn(
			process.execPath,
			[
				...["--import", this.#launch.clock],
				...[this.#launch.program, "--config", file],
			],
			{
				env: { ...inherited, TORTURE_CLOCK: this.#clockFile },
				stdio: ["ignore", log, log],
			},
		);
		closeSync(log);
		// Whatever ends this process: a frozen node would stay for ever.
		const killAlong = () => child.kill("SIGKILL");
		process.once("exit", killAlong);
		this.#child = child;
		this.#killed = false;
		this.#ended = new Promise((resolve) =>
			child.once("close", (code, signal) => {
				process.off("exit", killAlong);
				this.#child = null;
				if (!this.#killed)
					this.accidents.push(`${this.id} ended with ${code ?? signal}`);
				resolve();
			}),
		);
	}

	async kill(): Promise<void> {
		this.#killed = true;
		this.#child?.kill("SIGKILL");
		await this.#ended;
	}

	/** It no longer runs, and does not know it. */
	freeze(): void {
		this.#child?.kill("SIGSTOP");
	}

	thaw(): void {
		this.#child?.kill("SIGCONT");
	}

	/** How far its wall clock is ahead from now on, in milliseconds. */
	setClock(aheadMs: number): void {
		mkdirSync(this.directory, { recursive: true });
		writeFileSync(this.#clockFile, `${aheadMs}`);
	}

	get #clockFile(): string {
		return join(this.directory, "clock");
	}

	/** Its disk is gone, for good. */
	wipe(): void {
		rmSync(join(this.directory, "data"), { recursive: true, force: true });
	}
}
