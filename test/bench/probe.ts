/**
 * Preloaded into a raftd under measurement: says how long its event loop was held, and what memory it takes. A timer of
 * one millisecond sees what `monitorEventLoopDelay` of the metrics, at 20 ms, does not; and it leaves out the time in
 * which the thread could have run and had no core, as a bench shares its cores with all nodes and the load.
 */
import { openSync, readSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/** Since the last one. */
export interface ProbeReport {
	/** The longest time between two turns of the event loop. */
	readonly longestHoldMs: number;
	/** The longest without the time that the thread waited for a core. */
	readonly longestOwnHoldMs: number;
	readonly longestGcMs: number;
	readonly rssBytes: number;
	readonly maxRssBytes: number;
	readonly heapBytes: number;
	readonly externalBytes: number;
	/** Of the whole process. */
	readonly cpuMs: number;
}

const intervalMs = 1;

function observe(): void {
	const waitedMs = runQueueClock();
	let holdMs = 0;
	let ownHoldMs = 0;
	let gcMs = 0;
	let maxRssBytes = 0;
	let cpu = process.cpuUsage();
	let lastMs = performance.now();
	let lastWaitedMs = waitedMs();
	setInterval(() => {
		const nowMs = performance.now();
		const nowWaitedMs = waitedMs();
		const lateMs = nowMs - lastMs - intervalMs;
		holdMs = Math.max(holdMs, lateMs);
		ownHoldMs = Math.max(ownHoldMs, lateMs - (nowWaitedMs - lastWaitedMs));
		lastMs = nowMs;
		lastWaitedMs = nowWaitedMs;
	}, intervalMs).unref();
	setInterval(() => {
		maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss());
	}, 100).unref();
	new PerformanceObserver((list) => {
		for (const { duration } of list.getEntries())
			gcMs = Math.max(gcMs, duration);
	}).observe({ entryTypes: ["gc"] });
	process.on("message", () => {
		const { rss, heapUsed, external } = process.memoryUsage();
		const { user, system } = process.cpuUsage(cpu);
		const report: ProbeReport = {
			...{ longestHoldMs: holdMs, longestOwnHoldMs: ownHoldMs },
			...{ longestGcMs: gcMs, rssBytes: rss, heapBytes: heapUsed },
			maxRssBytes: Math.max(rss, maxRssBytes),
			externalBytes: external,
			cpuMs: (user + system) / 1000,
		};
		cpu = process.cpuUsage();
		holdMs = 0;
		ownHoldMs = 0;
		gcMs = 0;
		maxRssBytes = 0;
		process.send?.(report);
	});
	// Node's own listener on the channel would keep the process alive.
	process.channel?.unref();
}

/** How long this thread has waited for a core so far, in milliseconds; always 0 where the kernel does not say. */
function runQueueClock(): () => number {
	const text = Buffer.alloc(128);
	try {
		const file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
		return () => {
			const length = readSync(file, text, 0, text.length, 0);
			return Number(text.toString("latin1", 0, length).split(" ")[1]) / 1e6;
		};
	} catch {
		return () => 0;
	}
}

if (isMainThread && process.send !== undefined) observe();
