import { reasonOf } from "../../errors.js";
import { type HttpCaller, httpCaller } from "./http-caller.js";

/** A write that the cluster acknowledged: it must be readable from every node, for good. */
export interface AcknowledgedWrite {
	readonly key: string;
	readonly value: string;
	readonly index: number;
}

export interface Traffic {
	/** Rising by time of acknowledgement. */
	readonly acknowledged: readonly AcknowledgedWrite[];
	readonly writeLatenciesMs: readonly number[];
	readonly reads: number;
	readonly failures: readonly string[];
	/** Forgets the latencies so far: the first second of fresh processes is not what is measured. */
	beginMeasuring(): void;
	/** Lets every request under way end, then closes the connections. */
	stop(): Promise<void>;
}

/** How many failures keep their text. */
const maxFailureTexts = 1000;

/**
 * Closed-loop writers and readers over plain HTTP, each with one connection through the balancer and without any
 * retry: what fails here would have failed for an application. Every write has a key of its own; readers ask for
 * writes that were acknowledged before they asked, so a stale read counts as a failure.
 */
export function startTraffic(options: {
	address: string;
	writers: number;
	readers: number;
	timeoutMs: number;
	nowMs: () => number;
}): Traffic {
	const { address, timeoutMs, nowMs } = options;
	const acknowledged: AcknowledgedWrite[] = [];
	const writeLatenciesMs: number[] = [];
	const failures: string[] = [];
	const traffic = { acknowledged, writeLatenciesMs, reads: 0, failures };
	let stopping = false;

	const fail = (what: string, error: unknown) => {
		if (failures.length < maxFailureTexts) {
			failures.push(`${what}: ${reasonOf(error)}`);
		}
	};
	const write = async (caller: HttpCaller, key: string) => {
		const value = `value of ${key}`;
		const sinceMs = nowMs();
		const { index } = await caller.post("/v1/command", {
			op: "put",
			key,
			value,
		});
		writeLatenciesMs.push(nowMs() - sinceMs);
		acknowledged.push({ key, value, index: Number(index) });
	};
	const read = async (caller: HttpCaller, turn: number) => {
		const expected =
			acknowledged[acknowledged.length - 1 - (turn % acknowledged.length)];
		if (expected === undefined) return;
		const { answer } = await caller.post("/v1/query", {
			op: "get",
			key: expected.key,
		});
		if ((answer as { value?: string }).value !== expected.value) {
			throw new Error(`stale: ${expected.key} is ${JSON.stringify(answer)}`);
		}
		traffic.reads++;
	};
	const loop = async (
		name: string,
		turn: (caller: HttpCaller, count: number) => Promise<void>,
	) => {
		const caller = httpCaller(address, timeoutMs);
		for (let count = 0; !stopping; count++) {
			try {
				await turn(caller, count);
			} catch (error) {
				fail(name, error);
			}
		}
		caller.close();
	};
	const loops = [
		...range(options.writers).map((number) =>
			loop(`writer ${number}`, (caller, count) =>
				write(caller, `w${number}/${count}`),
			),
		),
		...range(options.readers).map((number) =>
			loop(`reader ${number}`, async (caller, count) => {
				if (acknowledged.length === 0) await turnOfLoop();
				else await read(caller, count);
			}),
		),
	];
	return Object.assign(traffic, {
		beginMeasuring: () => {
			writeLatenciesMs.length = 0;
		},
		stop: async () => {
			stopping = true;
			await Promise.all(loops);
		},
	});
}

function range(count: number): number[] {
	return Array.from({ length: count }, (_, at) => at);
}

function turnOfLoop(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
