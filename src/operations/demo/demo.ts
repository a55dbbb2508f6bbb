import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Inventory } from "../../config/inventory.js";
import { parseInventory } from "../../config/load.js";
import { OperatorError } from "../../errors.js";
import { type Clock, systemClock } from "../clock.js";
import type { Emit } from "../events.js";
import type { RollReport } from "../roll/report.js";
import { freePortBase } from "./free-ports.js";
import { type Raftctl, raftctlIn } from "./raftctl.js";
import { type Subscribers, subscribe } from "./subscribers.js";
import { summarise } from "./summarise.js";
import type { DemoSummary } from "./summary.js";
import { startTraffic, type Traffic } from "./traffic.js";
import { lostOn } from "./verification.js";

interface DemoOptions {
	readonly nodes: number;
	readonly writers: number;
	readonly readers: number;
	readonly subscribers: number;
	/** How long the load runs before the roll and after it. */
	readonly warmUpMs: number;
	/** Node.js and raftctl's entry file, as absolute paths. */
	readonly node: string;
	readonly raftctl: string;
	readonly emit: Emit;
	readonly signal: AbortSignal;
}

const requestTimeoutMs = 10_000;
const catchUpLimitMs = 60_000;

/**
 * A cluster on this machine, load on it through its balancer, and the real `raftctl rolling-restart` under that load.
 * Everything is taken down and removed afterwards, whatever happens.
 */
export async function demo(options: DemoOptions): Promise<DemoSummary> {
	const stage = new Stage(options);
	const startedMs = systemClock.now();
	try {
		const inventory = await stage.step("up", "Start the cluster", (note) =>
			bringUp(stage, note),
		);
		const load = await stage.step("load", "Put load on it", (note) =>
			putLoad(stage, inventory, note),
		);
		const roll = await stage.step("roll", "Restart every node", (note) =>
			rollUnderLoad(stage, load.traffic, note),
		);
		await stage.step("stop-load", "Let the load end", () =>
			endLoad(stage, load),
		);
		const lost = await stage.step("verify", "Read everything back", (note) =>
			readBack(inventory, load.traffic, note),
		);
		return summarise({
			roll,
			lost,
			traffic: load.traffic,
			subscribers: load.subscribers.all,
			durationMs: systemClock.now() - startedMs,
		});
	} finally {
		await stage.clear();
	}
}

interface Load {
	readonly traffic: Traffic;
	readonly subscribers: Subscribers;
}

type Note = (note: string) => void;

async function bringUp(stage: Stage, note: Note): Promise<Inventory> {
	const { nodes } = stage.options;
	const directory = await mkdtemp(join(tmpdir(), "raftctl-demo-"));
	const portBase = await freePortBase(10 * (nodes + 1));
	const raftctl = raftctlIn(directory, stage.options);
	stage.cleanUp("remove what it left", () =>
		rm(directory, { recursive: true, force: true }),
	);
	const init = ["init", "--nodes", `${nodes}`, "--port-base", `${portBase}`];
	await raftctl.run(init, stage.options.signal);
	stage.raftctl = raftctl;
	stage.cleanUp("stop the cluster", () => raftctl.run(["down", "--yes"]));
	await raftctl.run(["up"], stage.options.signal);
	note(`${nodes} nodes and a balancer, from port ${portBase} on`);
	const text = await raftctl.clusterFile();
	return parseInventory(text, { source: "cluster.yaml", directory });
}

async function putLoad(
	stage: Stage,
	inventory: Inventory,
	note: Note,
): Promise<Load> {
	const { writers, readers, warmUpMs, signal } = stage.options;
	const address = inventory.balancer?.listen;
	if (address === undefined) {
		throw new OperatorError("unexpected", "the demo's cluster has no balancer");
	}
	const subscribers = await subscribe({
		address,
		count: stage.options.subscribers,
	});
	stage.cleanUp("end the subscriptions", () => subscribers.close());
	const traffic = startTraffic({
		address,
		writers,
		readers,
		timeoutMs: requestTimeoutMs,
		nowMs: systemClock.now,
	});
	stage.cleanUp("end the load", () => traffic.stop());
	note(
		`${writers} writers, ${readers} readers, ${subscribers.all.length} subscribers`,
	);
	await stage.clock.sleep(warmUpMs, signal);
	return { traffic, subscribers };
}

async function rollUnderLoad(
	stage: Stage,
	traffic: Traffic,
	note: Note,
): Promise<RollReport> {
	const { raftctl, options } = stage;
	traffic.beginMeasuring();
	const report = await raftctl.run(
		["rolling-restart", "--yes"],
		options.signal,
	);
	await stage.clock.sleep(options.warmUpMs, options.signal);
	note("done; the load goes on for a moment");
	return report as RollReport;
}

async function endLoad(
	stage: Stage,
	{ traffic, subscribers }: Load,
): Promise<void> {
	await traffic.stop();
	const last = Math.max(0, ...lastIndexes(traffic));
	await subscribers.caughtUp(last, catchUpLimitMs);
	await subscribers.close();
	stage.options.signal.throwIfAborted();
}

/** The index of every writer's newest write lies among the last few; all of them would overflow a call's arguments. */
function lastIndexes({ acknowledged }: Traffic): number[] {
	return acknowledged.slice(-1000).map(({ index }) => index);
}

/** Every acknowledged write, from every node's own copy. */
async function readBack(
	{ nodes }: Inventory,
	traffic: Traffic,
	note: Note,
): Promise<number> {
	const { acknowledged } = traffic;
	const minIndex = Math.max(0, ...lastIndexes(traffic));
	const options = { minIndex, timeoutMs: requestTimeoutMs };
	const lost = new Set<string>();
	for (const { client } of nodes) {
		for (const key of await lostOn(client, acknowledged, options))
			lost.add(key);
	}
	note(`${acknowledged.length} acknowledged writes on ${nodes.length} nodes`);
	return lost.size;
}

/** Where the demo plays: its steps as events, and what has to be cleared away at the end, latest first. */
class Stage {
	readonly options: DemoOptions;
	readonly clock: Clock = systemClock;
	readonly #cleanUps: { what: string; run: () => Promise<unknown> }[] = [];
	#raftctl: Raftctl | null = null;

	constructor(options: DemoOptions) {
		this.options = options;
	}

	get raftctl(): Raftctl {
		if (this.#raftctl === null) throw new Error("invariant: nothing is up yet");
		return this.#raftctl;
	}

	set raftctl(raftctl: Raftctl) {
		this.#raftctl = raftctl;
	}

	async step<T>(
		step: string,
		title: string,
		run: (note: Note) => Promise<T>,
	): Promise<T> {
		const { emit, signal } = this.options;
		signal.throwIfAborted();
		const startedMs = this.clock.now();
		let last: string | null = null;
		emit({ type: "step-started", step, title, node: null });
		try {
			const result = await run((note) => {
				last = note;
			});
			const durationMs = Math.round(this.clock.now() - startedMs);
			emit({ type: "step-finished", step, node: null, durationMs, note: last });
			return result;
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			emit({ type: "step-failed", step, node: null, reason });
			throw error;
		}
	}

	cleanUp(what: string, run: () => Promise<unknown>): void {
		this.#cleanUps.unshift({ what, run });
	}

	/** Goes on when one fails: what is left over is said, not hidden. */
	async clear(): Promise<void> {
		for (const { what, run } of this.#cleanUps) {
			try {
				await run();
			} catch (error) {
				const reason = error instanceof Error ? error.message : String(error);
				const message = `could not ${what}: ${reason}`;
				this.options.emit({ type: "warning", node: null, message });
			}
		}
	}
}
