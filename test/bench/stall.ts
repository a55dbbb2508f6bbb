import { connectKeyValue } from "../../src/client/index.js";
import { adminCall } from "../torture/admin.js";
import { type Figure, rounded, type Settings } from "./figures.js";
import { BenchCluster, type BenchNode } from "./nodes.js";
import { median, percentile } from "./statistics.js";

const handOvers = 30;
const kills = 10;
const writesPerSecond = 500;
const bytes = 256;
/** How long the longest gap is looked for, from just before the event on. */
const handOverWindowMs = 1_500;
const killWindowMs = 6_000;
/** Of a node whose configuration names none. */
const electionTimeoutMs = 1_000;
const settleMs = 1_000;

/** The longest time without an acknowledged write, when the leader hands over and when it is killed. */
export function stallFigures({ scale, profile }: Settings): Promise<Figure[]> {
	return BenchCluster.with(3, { profile }, async (cluster) => {
		const writes = new SteadyWrites(
			cluster.nodes.map(({ addresses }) => addresses.client),
		);
		await rest(settleMs);
		const calm = await longestGap(writes, handOverWindowMs, async () => {});
		const planned = await repeated(handOvers * scale, () =>
			longestGap(writes, handOverWindowMs, () => handOver(cluster)),
		);
		const killed = await repeated(kills * scale, async () => {
			let victim: BenchNode | null = null;
			const gapMs = await longestGap(writes, killWindowMs, async () => {
				victim = await cluster.leader();
				await victim.stop("SIGKILL");
			});
			if (victim !== null) cluster.start(victim);
			await cluster.settled();
			await rest(settleMs);
			return gapMs;
		});
		await writes.end();
		const lost = Object.entries(writes.failed)
			.map(([reason, count]) => `${count} ${reason}`)
			.join(", ");
		const note = (gaps: readonly number[]) =>
			`p50 ${rounded(median(gaps))}, of ${gaps.length}; without an event ${rounded(calm)} ms; not answered: ${lost === "" ? "none" : lost}`;
		return [
			{
				name: "longest write stall when the leader hands over, p99",
				...{ value: percentile(planned, 0.99), unit: "ms", atMost: 50 },
				note: note(planned),
			},
			{
				name: "longest write stall when the leader is killed, p99",
				value: percentile(killed, 0.99) / electionTimeoutMs,
				...{ unit: "× the election timeout", atMost: 1.2 },
				note: `${rounded(percentile(killed, 0.99))} ms; ${note(killed)}`,
			},
		];
	});
}

/** Writes at an even rate through the client library, as an application would, and notes when each was answered. */
class SteadyWrites {
	/** What was not answered, by reason. */
	readonly failed: Record<string, number> = {};
	#answeredMs: number[] = [];
	readonly #client;
	readonly #timer: NodeJS.Timeout;
	readonly #value = Buffer.alloc(bytes, "x");
	#sent = 0;

	constructor(endpoints: readonly string[]) {
		this.#client = connectKeyValue({ endpoints, timeoutMs: 10_000 });
		const startMs = performance.now();
		this.#timer = setInterval(() => {
			const due = ((performance.now() - startMs) / 1000) * writesPerSecond;
			while (this.#sent < due) this.#write(this.#sent++);
		}, 1);
	}

	/** The moments of all answers since the last call. */
	take(): number[] {
		const taken = this.#answeredMs;
		this.#answeredMs = [];
		return taken;
	}

	async end(): Promise<void> {
		clearInterval(this.#timer);
		await this.#client.close();
	}

	#write(number: number): void {
		this.#client.put(`key-${number % 1000}`, this.#value).then(
			() => this.#answeredMs.push(performance.now()),
			(error: { readonly reason?: string }) => {
				const reason = error.reason ?? "unexpected";
				this.failed[reason] = (this.failed[reason] ?? 0) + 1;
			},
		);
	}
}

/** Between two answers in a row, or from the last one to the end, while `event` happens and for `windowMs` after. */
async function longestGap(
	writes: SteadyWrites,
	windowMs: number,
	event: () => Promise<void>,
): Promise<number> {
	writes.take();
	let lastMs = performance.now();
	await event();
	await rest(windowMs);
	let longestMs = 0;
	for (const atMs of [...writes.take(), performance.now()]) {
		longestMs = Math.max(longestMs, atMs - lastMs);
		lastMs = atMs;
	}
	return longestMs;
}

async function handOver(cluster: BenchCluster): Promise<void> {
	const leader = await cluster.leader();
	const target = cluster.nodes.find((node) => node !== leader)?.id;
	await adminCall(leader.addresses.admin, "TransferLeadership", { target });
}

async function repeated(
	times: number,
	measure: () => Promise<number>,
): Promise<number[]> {
	const values: number[] = [];
	for (let turn = 0; turn < Math.max(1, Math.round(times)); turn++)
		values.push(await measure());
	return values;
}

function rest(ms: number): Promise<void> {
	return new Promise((wake) => setTimeout(wake, ms));
}
