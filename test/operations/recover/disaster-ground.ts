import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { parse } from "yaml";
import type {
	Engine,
	NodeRef,
	NodeStatus,
} from "../../../src/cluster/engine.js";
import type { Inventory } from "../../../src/config/inventory.js";
import { parseInventory } from "../../../src/config/load.js";
import { OperatorError } from "../../../src/errors.js";
import type { RunResult, Service } from "../../../src/hosts/host.js";
import type { OperationContext } from "../../../src/operations/context.js";
import type { OperationEvent } from "../../../src/operations/events.js";
import { FakeClock } from "../../fakes/fake-clock.js";
import { FakeFiles, failed, succeeded } from "../../fakes/fake-files.js";

interface State {
	readonly term: number;
	readonly index: number;
	readonly content: string;
}

/**
 * Three nodes whose files are in memory, with a raftd that knows whose a directory is. It watches what must never be: nodes
 * of two cluster ids that run at once, and a cluster that is founded empty.
 */
export class DisasterGround {
	readonly directory = mkdtempSync(join(tmpdir(), "disaster-"));
	readonly clock = new FakeClock();
	readonly files = new FakeFiles();
	readonly events: OperationEvent[] = [];
	readonly running = new Set<string>();
	readonly starts: string[] = [];
	/** What must never be, and was. */
	readonly sins: string[] = [];
	/** Processes that hold a directory, by its path. */
	readonly holders = new Map<string, string>();
	/** Nodes that end right after their start. */
	readonly broken = new Set<string>();
	onEvent: (event: OperationEvent) => void = () => undefined;
	/** Right before a service is started. */
	onStart: (id: string) => void = () => undefined;
	#parsed: { readonly text: string; readonly inventory: Inventory } | null =
		null;
	readonly #file = join(this.directory, "cluster.yaml");

	constructor() {
		writeFileSync(
			this.#file,
			[
				"# the orders of the shop",
				"name: orders",
				"id: orders-old # by init",
				"portBase: 7100",
				"nodes: [n1, n2, n3]",
				"",
			].join("\n"),
		);
		this.files.program = (argv) =>
			argv[0] === "/node" ? this.#raftd(argv.slice(2)) : null;
		for (const { id, dataDirectory } of this.inventory().nodes) {
			this.found(dataDirectory, id, "orders-old", {
				...{ term: 4, index: 900, content: "orders" },
			});
			this.files.files.set(this.#configPath(id), this.#oldConfig(id));
		}
	}

	dispose(): void {
		rmSync(this.directory, { recursive: true, force: true });
	}

	/** As the file has it now. */
	inventory(): Inventory {
		const text = this.clusterFile;
		if (this.#parsed?.text !== text) {
			const place = { source: this.#file, directory: this.directory };
			const inventory = parseInventory(text, { ...place, path: this.#file });
			this.#parsed = { text, inventory };
		}
		return this.#parsed.inventory;
	}

	/** As a raftctl that has just been started has it. */
	context(who = "ann"): OperationContext {
		return {
			inventory: this.inventory(),
			engine: {
				status: async ({ id }: NodeRef) => this.status(id),
				// There is no quorum to confirm it.
				operations: async ({ id }: NodeRef) => silent(id),
				readIndex: async ({ id }: NodeRef) => silent(id),
			} as unknown as Engine,
			balancer: null,
			machines: {
				host: async (name) => this.files.host(name),
				service: async ({ name }) => this.#service(name),
			},
			programs: { node: "/node", raftd: "/raftd.js", balancer: "/lb.js" },
			clock: this.clock,
			emit: (event) => {
				this.events.push(event);
				this.onEvent(event);
			},
			signal: new AbortController().signal,
			holder: { holder: `${who}@desk:1`, host: "desk" },
			release: "0.1.0",
		};
	}

	get clusterFile(): string {
		return readFileSync(this.#file, "utf8");
	}

	data(id: string): string {
		const node = this.inventory().nodes.find((one) => one.id === id);
		if (node === undefined) throw new Error(`no node ${id}`);
		return node.dataDirectory;
	}

	/** What the node's data directory holds. */
	state(id: string): (State & { readonly clusterId: string }) | null {
		return this.#stateIn(this.data(id));
	}

	#stateIn(directory: string) {
		const identity = this.files.files.get(`${directory}/identity.json`);
		const state = this.files.files.get(`${directory}/state`);
		if (identity === undefined || state === undefined) return null;
		const { clusterId } = JSON.parse(identity) as { clusterId: string };
		return { ...(JSON.parse(state) as State), clusterId };
	}

	found(directory: string, nodeId: string, clusterId: string, state: State) {
		const { files } = this.files;
		const identity = { clusterId, nodeId, incarnation: `i-${directory}` };
		files.set(`${directory}/identity.json`, JSON.stringify(identity));
		files.set(`${directory}/state`, JSON.stringify(state));
	}

	/** A snapshot's file on the operator's machine. */
	snapshot(path: string, more: object = {}): string {
		const state = { term: 4, index: 1_200, content: "orders" };
		const file = { ok: true, clusterId: "orders-1", ...state, ...more };
		this.files.files.set(path, JSON.stringify(file));
		return path;
	}

	start(id: string): void {
		if (this.running.has(id)) return;
		this.starts.push(id);
		const config = this.files.files.get(this.#configPath(id));
		if (config === undefined) return;
		const { cluster, data, join: joins } = parse(config);
		const held = this.#stateIn(data);
		if (held === null) {
			// One that joins waits until somebody adds it.
			if (joins === true) return;
			this.sins.push(`${id} founded an empty cluster ${cluster.id}`);
			return;
		}
		// As raftd: a directory of another cluster is refused.
		if (held.clusterId !== cluster.id || this.holders.has(data)) return;
		if (this.broken.has(id)) return;
		this.running.add(id);
		const ids = new Set([...this.running].map((one) => this.#idOf(one)));
		if (ids.size > 1) this.sins.push(`${[...ids].join(" beside ")} run`);
	}

	stop(id: string): void {
		this.running.delete(id);
	}

	/** Its disk is gone; what lies on another stays. */
	wipe(id: string): void {
		for (const path of this.files.below(this.data(id)))
			this.files.files.delete(path);
	}

	/** Its node.yaml; empty where there is none. */
	configOf(id: string): string {
		return this.files.files.get(this.#configPath(id)) ?? "";
	}

	status(id: string): NodeStatus {
		if (!this.running.has(id))
			throw new OperatorError("unreachable", `${id} does not answer`);
		const state = this.state(id);
		const { cluster, members: written } = parse(
			this.files.files.get(this.#configPath(id)) ?? "",
		);
		// They are in the data, for all alike; a node that joins has other words for itself in its file.
		const members = written
			.map((one: { id: string }) => ({ ...one, role: "voter" }))
			.sort((a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1));
		const up = members.filter((one: { id: string }) =>
			this.running.has(one.id),
		);
		const isLed = up.length > members.length / 2;
		const leader = isLed ? up[0].id : null;
		return {
			...{ nodeId: id, clusterId: cluster.id, ready: isLed, leader },
			role: leader === id ? "leader" : "follower",
			...{ term: 9, lastIndex: state?.index, appliedIndex: state?.index },
			...{ commitIndex: state?.index, configurationIndex: 1, members },
			drain: { draining: false },
			...{ connections: { total: 0 }, leaderlessTotalMs: 0 },
		} as unknown as NodeStatus;
	}

	#idOf(id: string): string {
		return this.state(id)?.clusterId ?? "none";
	}

	#configPath(id: string): string {
		return join(this.inventory().stateDirectory, id, "node.yaml");
	}

	#oldConfig(id: string): string {
		const members = ["n1", "n2", "n3"].map((one) => ({
			...{ id: one, role: "voter", peer: `${one}:1` },
		}));
		return JSON.stringify({
			...{ cluster: { id: "orders-old" }, node: id, data: this.data(id) },
			members,
		});
	}

	#service(id: string): Service {
		return {
			name: id,
			start: async () => {
				this.onStart(id);
				this.start(id);
			},
			stop: async () => void this.running.delete(id),
			kill: async () => void this.running.delete(id),
			state: async () =>
				this.running.has(id)
					? { running: true, pid: 1 }
					: { running: false, exit: null },
			logTail: async () => "",
		};
	}

	#raftd(words: readonly string[]): RunResult {
		const flag = (name: string) => words[words.indexOf(name) + 1] ?? "";
		const [word, verb, file = ""] = words;
		if (word === "inspect") return this.#inspect(flag("--data-dir"));
		if (verb === "export")
			return this.#export(flag("--data-dir"), flag("--out"));
		const text = this.files.files.get(file);
		if (text === undefined) return told("usage", `there is no file ${file}`);
		const { ok, error, problems = [], ...manifest } = JSON.parse(text);
		if (error !== undefined) return told("refused", error);
		const shown = { ...manifest, id: text, fileBytes: text.length };
		if (verb === "inspect") return report({ manifest: shown });
		if (verb === "verify")
			return report({ ok, manifest: shown, problems, notes: [] });
		return this.#restore(manifest, flag("--config"));
	}

	#restore(manifest: State, path: string): RunResult {
		if (this.files.isFull) return told("refused", "the disk is full");
		const config = parse(this.files.files.get(path) ?? "");
		expect(this.files.isThere(config.data)).toBe(false);
		const { term, content } = manifest;
		const index = manifest.index + 1_000_000;
		const state = { term: term + 1, index, content };
		this.found(config.data, config.node, config.cluster.id, state);
		return report({ index });
	}

	#inspect(directory: string): RunResult {
		const state = this.#stateIn(directory);
		const holder = this.holders.get(directory) ?? null;
		if (state === null)
			return report({
				...{ verdict: "healthy", holder, holds: null },
				problems: [{ what: "it is empty" }],
			});
		const holds = {
			...{ term: state.term, lastTerm: state.term, lastIndex: state.index },
			commit: state.index - 5,
			configuration: { index: 1, voters: ["n1", "n2", "n3"], outgoing: [] },
		};
		return report({ verdict: "healthy", holder, holds, problems: [] });
	}

	#export(directory: string, out: string): RunResult {
		if (this.files.files.has(out)) return told("refused", "it is there");
		const state = this.#stateIn(directory);
		if (state === null) return told("refused", "it is empty");
		this.snapshot(out, state);
		return report({ manifest: state });
	}
}

function silent(id: string): never {
	throw new OperatorError("unreachable", `${id} knows no leader`, { node: id });
}

function report(content: object): RunResult {
	return succeeded(JSON.stringify(content));
}

function told(kind: string, message: string): RunResult {
	const stdout = JSON.stringify({ error: { kind, message } });
	return { ...failed("", 11), stdout };
}

/** Where the old data of a node lies; null when nothing was moved aside. */
export function asideOf(ground: DisasterGround, id: string): string | null {
	const data = ground.data(id);
	const names = ground.files.below(dirname(data));
	const found = names.find((name) => name.startsWith(`${data}.before-`));
	return found === undefined ? null : dirname(found);
}
