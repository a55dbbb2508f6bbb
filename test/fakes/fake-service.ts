import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { OperatorError } from "../../src/errors.js";
import type { Host, Service } from "../../src/hosts/host.js";
import type { Machines } from "../../src/operations/context.js";
import type { FakeCluster } from "./fake-cluster.js";

const stopMs = 150;

/** A host in memory, with the programs of a FakeCluster on it. Every other program just runs. */
export class FakeMachines implements Machines {
	readonly files = new Map<string, { content: Uint8Array; mode: number }>();
	/** What was done, in order; looking at a directory is nothing done. */
	readonly log: string[] = [];
	readonly #others = new Map<string, boolean>();

	constructor(readonly cluster: FakeCluster) {}

	async host(name: string): Promise<Host> {
		return {
			name,
			run: async (argv) => {
				if (argv[0] !== "ls") this.log.push(argv.join(" "));
				this.#runProgram(argv);
				return { exitCode: 0, stdout: this.#listing(argv), stderr: "" };
			},
			upload: async (path, content, mode) => {
				this.files.set(path, { content, mode });
			},
			send: async (path, source, mode) => {
				const content = await readFile(source);
				this.files.set(path, { content, mode });
				return { sentBytes: content.length, present: false };
			},
			fetch: async (path, target) => {
				const content = this.files.get(path)?.content;
				if (content === undefined) return null;
				await mkdir(dirname(target), { recursive: true });
				await writeFile(target, content);
				return { receivedBytes: content.length, present: false };
			},
			read: async (path) =>
				this.files.get(path)?.content ?? this.#identity(path),
			close: async () => undefined,
		};
	}

	/** What a node's data directory says of itself; only where the test has disks. */
	#identity(path: string): Uint8Array | null {
		const id = /^\/data\/([^/]+)\/identity\.json$/.exec(path)?.[1];
		const node = id === undefined ? undefined : this.cluster.nodes.get(id);
		if (!this.cluster.hasDisks || !node?.incarnation) return null;
		const { clusterId } = this.cluster;
		const { incarnation } = node;
		return Buffer.from(JSON.stringify({ clusterId, nodeId: id, incarnation }));
	}

	/** As its configuration has it, or else as every node of the tests. */
	#adminOf(name: string): string {
		const file = this.files.get(`/state/${name}/node.yaml`);
		const text = new TextDecoder().decode(file?.content);
		return (
			/^listen:\n(?: {2}.*\n)*? {2}admin: (\S+)$/m.exec(text)?.[1] ??
			`${name}:3`
		);
	}

	#listing([program = "", ...words]: readonly string[]): string {
		if (program !== "ls") return "";
		const id = /^\/data\/([^/]+)$/.exec(words.at(-1) ?? "")?.[1] ?? "";
		return this.cluster.nodes.get(id)?.incarnation
			? "identity.json\nwal\n"
			: "";
	}

	/** Only what moves or removes a node's data directory does anything. */
	#runProgram(argv: readonly string[]): void {
		if (!["mv", "rm", "find"].includes(argv[0] ?? "")) return;
		for (const path of argv.filter((word) => word.startsWith("/"))) {
			for (const { id, running } of this.cluster.nodes.values()) {
				if (path !== `/data/${id}`) continue;
				if (running) throw new Error(`${id} runs while its data is removed`);
				this.cluster.wipe(id);
			}
			for (const name of this.files.keys())
				if (name.startsWith(`${path}/`)) this.files.delete(name);
		}
	}

	isRunning(name: string): boolean {
		return this.cluster.nodes.has(name)
			? this.cluster.node(name).running
			: (this.#others.get(name) ?? false);
	}

	async service({ name }: { readonly name: string }): Promise<Service> {
		const { cluster, log } = this;
		if (name !== "balancer" && !cluster.nodes.has(name))
			cluster.addProgram(name);
		const isNode = cluster.nodes.has(name);
		return {
			name,
			start: async () => {
				if (this.isRunning(name)) return;
				log.push(`start ${name}`);
				if (isNode) {
					cluster.node(name).answersAt = this.#adminOf(name);
					cluster.start(name);
				} else this.#others.set(name, true);
			},
			stop: async (timeoutMs) => {
				if (!this.isRunning(name)) return;
				log.push(`stop ${name}`);
				if (isNode && cluster.node(name).neverStops) {
					await cluster.clock.sleep(timeoutMs);
					throw new OperatorError("timeout", `${name} still runs`);
				}
				await cluster.clock.sleep(stopMs);
				if (isNode) cluster.stop(name);
				else this.#others.set(name, false);
			},
			kill: async () => {
				if (isNode) cluster.stop(name);
			},
			state: async () =>
				this.isRunning(name)
					? {
							running: true,
							pid: 4_000 + (isNode ? cluster.node(name).process : 0),
						}
					: { running: false, exit: "exit code 1" },
			logTail: async () => `last words of ${name}`,
		};
	}
}
