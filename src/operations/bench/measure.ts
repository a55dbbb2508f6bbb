import type { Clock } from "../clock.js";
import type { Crew } from "./crew.js";
import { LatencyHistogram } from "./latency-histogram.js";
import type { Loop, Sample } from "./load.js";

const secondMs = 1000;

/** One stretch of load, added up over threads and seconds. */
export interface Measured {
	readonly loop: Loop;
	/** Between the first moment that counts and the last. */
	readonly seconds: number;
	/** Answered within it. */
	readonly answered: number;
	/** Of all that were begun within it, those answered later included. */
	readonly writes: LatencyHistogram;
	readonly reads: LatencyHistogram;
	readonly all: LatencyHistogram;
	readonly service: LatencyHistogram;
	readonly late: LatencyHistogram;
	readonly errors: Readonly<Record<string, number>>;
	/** Of the busiest thread, the mean of its seconds. */
	readonly busy: number;
	readonly series: readonly Second[];
	/** It ended before its time. */
	readonly interrupted: boolean;
}

/** A second, or what was left of one. */
export interface Second {
	readonly atSeconds: number;
	readonly perSecond: number;
	readonly errors: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly maxMs: number;
}

export interface MeasureOptions {
	readonly warmUpMs: number;
	readonly durationMs: number;
	readonly clock: Clock;
	/** Ends it early, and what was measured stands. */
	readonly signal: AbortSignal;
	onSecond(second: Second): void;
}

/** Puts one load on, and takes it off again whatever happens. */
export async function measure(
	crew: Crew,
	loop: Loop,
	options: MeasureOptions,
): Promise<Measured> {
	const { clock, warmUpMs, durationMs } = options;
	const sums = new Sums();
	await crew.begin(loop);
	try {
		await passed(options, warmUpMs);
		await crew.mark();
		const startMs = clock.now();
		let sinceMs = startMs;
		while (!options.signal.aborted && sinceMs < startMs + durationMs) {
			const leftMs = startMs + durationMs - sinceMs;
			// No splinter at the end: a few milliseconds are no measure of a rate.
			const isLast = leftMs < 1.5 * secondMs;
			await passed(options, isLast ? leftMs : secondMs);
			const samples = await crew.take();
			const nowMs = clock.now();
			const lengths = { atMs: nowMs - startMs, lengthMs: nowMs - sinceMs };
			options.onSecond(sums.addSecond(samples, lengths));
			sinceMs = nowMs;
		}
		sums.seconds = (sinceMs - startMs) / 1000;
	} finally {
		await crew.stop();
	}
	sums.addRest(await crew.take());
	return { loop, ...sums.total(), interrupted: options.signal.aborted };
}

/** Waits so long, or until the signal. */
async function passed(
	{ clock, signal }: MeasureOptions,
	ms: number,
): Promise<void> {
	if (ms <= 0 || signal.aborted) return;
	await clock.sleep(ms, signal).catch((error: unknown) => {
		if (!signal.aborted) throw error;
	});
}

class Sums {
	seconds = 0;
	readonly #histograms = {
		writes: new LatencyHistogram(),
		reads: new LatencyHistogram(),
		all: new LatencyHistogram(),
		service: new LatencyHistogram(),
		late: new LatencyHistogram(),
	};
	readonly #errors: Record<string, number> = {};
	readonly #series: Second[] = [];
	/** Of each thread, the sum over the seconds. */
	readonly #busy: number[] = [];
	#answered = 0;

	addSecond(
		samples: readonly Sample[],
		{ atMs, lengthMs }: { readonly atMs: number; readonly lengthMs: number },
	): Second {
		const latencies = this.#add(samples);
		const answered = sumOf(samples.map((one) => one.answered));
		this.#answered += answered;
		for (const [at, { busy }] of samples.entries())
			this.#busy[at] = (this.#busy[at] ?? 0) + busy;
		const second = {
			atSeconds: atMs / 1000,
			perSecond: lengthMs > 0 ? (answered * 1000) / lengthMs : 0,
			errors: sumOf(samples.flatMap(({ errors }) => Object.values(errors))),
			p50Ms: latencies.percentileMs(0.5),
			p99Ms: latencies.percentileMs(0.99),
			maxMs: latencies.maxMs,
		};
		this.#series.push(second);
		return second;
	}

	/** What was answered after the end: its latency counts, its number does not. */
	addRest(samples: readonly Sample[]): void {
		this.#add(samples);
	}

	total(): Omit<Measured, "loop" | "interrupted"> {
		return {
			...{ seconds: this.seconds, answered: this.#answered },
			...{ ...this.#histograms, errors: this.#errors },
			busy: Math.max(0, ...this.#busy) / Math.max(1, this.#series.length),
			series: this.#series,
		};
	}

	/** The latencies of these samples alone. */
	#add(samples: readonly Sample[]): LatencyHistogram {
		const own = new LatencyHistogram();
		const { writes, reads, all, service, late } = this.#histograms;
		for (const sample of samples) {
			writes.add(sample.writes);
			reads.add(sample.reads);
			service.add(sample.service);
			late.add(sample.late);
			for (const counts of [sample.writes, sample.reads]) {
				all.add(counts);
				own.add(counts);
			}
			for (const [kind, count] of Object.entries(sample.errors))
				this.#errors[kind] = (this.#errors[kind] ?? 0) + count;
		}
		return own;
	}
}

function sumOf(numbers: readonly number[]): number {
	return numbers.reduce((sum, one) => sum + one, 0);
}
