import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectRaft } from "../../src/client/index.js";
import { Random } from "../sim/random.js";
import {
	type Caller,
	type Consistency,
	callTimeoutMs,
	httpCaller,
	libraryCaller,
} from "./callers.js";
import { Cluster } from "./cluster.js";
import { Battlefield, faultNames } from "./faults/battlefield.js";
import { type FaultCounts, rage, scheduled } from "./faults/schedule.js";
import { History } from "./history.js";
import { judge } from "./linearizability/check.js";
import { judgeWatches } from "./linearizability/watch.js";
import { Observer } from "./observer.js";
import { settle } from "./settle.js";
import { Watcher } from "./watching.js";
import { Keys, type WorkerOptions, work } from "./workload.js";

export interface RunOptions {
	/** Of the package: dist/ is there. */
	readonly root: string;
	/** For everything that the run leaves; must not exist. */
	readonly directory: string;
	readonly durationMs: number;
	readonly seed: number;
	readonly nodes: number;
	/** How reads are asked for that are judged as linearizable; with `stale` the run must fail. Default: in all right ways. */
	readonly reads?: Consistency;
	readonly tell: (line: string) => void;
}

export interface RunReport {
	readonly summary: Summary;
	/** What makes it a failure, in sentences; empty for a run that shows what it is to show. */
	readonly problems: readonly string[];
}

export interface Summary {
	readonly linearizable: boolean;
	readonly operations: number;
	readonly unknown: number;
	readonly faults: FaultCounts & { readonly elections: number };
	readonly seed: number;
}

const workers = 8;
const subscribers = 3;
const meanPauseMs = 12;
const progressMs = 5_000;

/** Runs a cluster through what the seed has for it, and judges all that clients and subscribers were told. */
export async function run(options: RunOptions): Promise<RunReport> {
	const { seed, tell } = options;
	const cluster = await Cluster.found(options);
	const history = new History();
	const observer = new Observer();
	const watchers = subscribe(cluster);
	try {
		tell(`seed ${seed}: ${cluster.nodes.length} nodes in ${options.directory}`);
		const faults = await fight({ ...options, cluster, history, observer });
		tell("healed; waiting until all nodes agree");
		const disagreements = await settle({ cluster, history, watchers });
		tell(`judging ${history.counts.done} operations`);
		return report({ seed, faults, history, observer, cluster }, [
			...disagreements,
			...judgeWatches(
				watchers.flatMap((watcher) => watcher.watches()),
				history.known,
			),
		]);
	} catch (cause) {
		throw new Error(`seed ${seed} in ${options.directory}: ${cause}`, {
			cause,
		});
	} finally {
		for (const watcher of watchers) await watcher.close();
		await cluster.close();
		keep(options.directory, history);
	}
}

interface Fight extends RunOptions {
	readonly cluster: Cluster;
	readonly history: History;
	readonly observer: Observer;
}

/** Clients work, faults rage, until the time is over. */
async function fight(options: Fight): Promise<FaultCounts> {
	const { cluster, seed, durationMs, observer, history, tell } = options;
	const counts = Object.fromEntries(
		faultNames.map((name) => [name, 0]),
	) as FaultCounts;
	const over = AbortSignal.timeout(durationMs);
	const progress = setInterval(() => {
		const { done, failed, unknown } = history.counts;
		tell(
			`${done} done, ${failed} failed, ${unknown} unknown; ${observer.elections} elections; ${JSON.stringify(counts)}`,
		);
	}, progressMs);
	const clients = makeWorkers(options);
	try {
		await Promise.all([
			observer.watch(cluster, over),
			...clients.map((client) => work(client, over)),
			...scheduled(seed).map((line, at) => {
				const random = new Random(seed, 100 + at);
				const field = new Battlefield(cluster, random, over);
				return rage(line, field, (name) => {
					counts[name]++;
				});
			}),
		]);
	} finally {
		clearInterval(progress);
		await Promise.all(clients.map(({ caller }) => caller.close()));
	}
	return counts;
}

function makeWorkers({
	cluster,
	history,
	seed,
	reads,
}: Fight): WorkerOptions[] {
	const keys = new Keys();
	let value = 0;
	return Array.from({ length: workers }, (_, at) => {
		const random = new Random(seed, 200 + at);
		const { name, caller } = makeCaller(cluster, at, random);
		return {
			...{ name, caller, keys, history, random, meanPauseMs },
			reads: reads ?? (at < workers / 2 ? "linearizable" : "lease"),
			nextValue: () => ++value,
		};
	});
}

/** Half of them plain HTTP; of the others half in sessions, and half wherever they are let in. */
function makeCaller(
	{ clients: endpoints }: Cluster,
	at: number,
	random: Random,
): { name: string; caller: Caller } {
	if (at % 2 === 0) {
		const caller = httpCaller(endpoints, () => random.next());
		return { name: `http${at}`, caller };
	}
	const prefer = at % 4 === 1 ? "leader" : "any";
	const exactlyOnce = at >= workers / 2;
	const client = connectRaft({
		...{ endpoints, timeoutMs: callTimeoutMs, prefer, exactlyOnce },
	});
	const name = `${exactlyOnce ? "session" : "library"}${at}`;
	return { name, caller: libraryCaller(client) };
}

function subscribe({ clients: endpoints }: Cluster): Watcher[] {
	return Array.from(
		{ length: subscribers },
		(_, at) => new Watcher(`subscriber${at}`, connectRaft({ endpoints })),
	);
}

interface Evidence {
	readonly seed: number;
	readonly faults: FaultCounts;
	readonly history: History;
	readonly observer: Observer;
	readonly cluster: Cluster;
}

function report(
	{ seed, faults, history, observer, cluster }: Evidence,
	faultsOfWatches: readonly string[],
): RunReport {
	const { linearizable, undecided, offenders, offence } = judge(
		history.histories(),
	);
	const { elections, configurations, snapshots } = observer;
	const { done, unknown } = history.counts;
	const problems = [
		...(offence === null ? [] : [offence.report]),
		...offenders.map((key) => `${key} is not linearizable`),
		...undecided.map((key) => `${key} has more orders than could be tried`),
		...faultsOfWatches,
		...observer.violations,
		...cluster.accidents(),
		...(elections === 0 ? ["invalid: nobody was elected"] : []),
		...(configurations === 0 ? ["invalid: no membership was changed"] : []),
		...(snapshots === 0 ? ["invalid: no snapshot was taken"] : []),
	];
	const summary: Summary = {
		linearizable,
		operations: done,
		unknown,
		faults: { ...faults, elections },
		seed,
	};
	return { summary, problems };
}

/** One operation a line, for whoever looks into a failure. */
function keep(directory: string, history: History): void {
	const lines = [...history.histories()].flatMap(({ key, operations }) =>
		operations.map((operation) => JSON.stringify({ key, ...operation })),
	);
	writeFileSync(join(directory, "history.ndjson"), `${lines.join("\n")}\n`);
}
