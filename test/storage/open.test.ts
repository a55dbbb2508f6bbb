import { fork } from "node:child_process";
import { once } from "node:events";
import {
	closeSync,
	openSync,
	readdirSync,
	readFileSync,
	writeSync,
} from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import type {
	LogStorage,
	RecoveredLog,
} from "../../src/storage/log-storage.js";
import { openLogStorage } from "../../src/storage/open.js";
import { FullPool } from "./full-pool.js";
import { batchOf, entry, resetOf } from "./history.js";
import { compiled, sources, temporaryDirectory } from "./worker-file.js";

const segmentBytes = 256 * 1024;
const owner = { clusterId: "cluster", nodeId: "n1" };
let workerUrl: URL;

beforeAll(async () => {
	workerUrl = await compiled(join(sources, "worker.ts"));
});

/** An open log with what it reported, and a way to wait for more. */
interface Opened {
	readonly log: LogStorage;
	readonly recovered: RecoveredLog;
	readonly reported: number[];
	readonly failures: Error[];
	durable(sequence: number): Promise<void>;
}

async function open(directory: string, threaded: boolean): Promise<Opened> {
	const reported: number[] = [];
	const failures: Error[] = [];
	const waiting: { sequence: number; resolve: () => void }[] = [];
	const { log, recovered } = await openLogStorage(
		{ directory, ...owner, segmentBytes, ...(threaded ? { workerUrl } : {}) },
		{
			onDurable: (sequence) => {
				reported.push(sequence);
				for (const one of waiting) if (one.sequence <= sequence) one.resolve();
			},
			onFailure: (error) => failures.push(error),
		},
	);
	const durable = (sequence: number) =>
		(reported.at(-1) ?? 0) >= sequence
			? Promise.resolve()
			: new Promise<void>((resolve) => waiting.push({ sequence, resolve }));
	return { log, recovered, reported, failures, durable };
}

for (const threaded of [true, false]) {
	describe(`the log on ${threaded ? "its own" : "the caller's"} thread, on a real disk`, () => {
		it("reports batches in order, gives entries back, and finds them again after a close", async () => {
			const directory = join(temporaryDirectory(), "wal");
			const { log, reported, failures, durable } = await open(
				directory,
				threaded,
			);
			const entries = Array.from({ length: 2000 }, (_, at) =>
				entry(at + 1, 1, "x".repeat(300)),
			);
			for (const [at, one] of entries.entries())
				log.append(batchOf(at + 1, [one]));
			expect(log.pendingMs()).toBeGreaterThan(0);
			await durable(2000);
			expect(log.pendingMs()).toBe(0);
			expect(reported).toEqual([...reported].sort((a, b) => a - b));
			expect(reported.at(-1)).toBe(2000);
			expect(
				(await log.read(1999, 5000, 1e6)).map(({ index }) => index),
			).toEqual([1999, 2000]);
			await expect(log.read(2001, 2001, 1e6)).rejects.toThrow(
				"the log has no entry 2001",
			);
			log.append(
				batchOf(2001, [], { term: 3, votedFor: "n2", commit: 5 }, false),
			);
			const stats = log.stats();
			expect(stats.syncs).toBeGreaterThan(0);
			expect(stats.syncs).toBeLessThan(2000);
			expect(stats.bytesWritten).toBeGreaterThan(2000 * 300);
			expect(stats.segments).toBeGreaterThan(1);
			await log.close();
			expect(failures).toEqual([]);
			const again = await open(directory, threaded);
			expect(again.recovered).toMatchObject({
				lastIndex: 2000,
				hardState: { term: 3, votedFor: "n2", commit: 5 },
				terms: [{ term: 1, first: 1 }],
				repaired: null,
			});
			await again.log.close();
			expect(
				readdirSync(directory).filter((name) => name.endsWith(".tmp")),
			).toEqual([]);
		});

		it("reads what was handed in before, and compacts in order with it", async () => {
			const directory = join(temporaryDirectory(), "wal");
			const { log, reported } = await open(directory, threaded);
			const entries = Array.from({ length: 2000 }, (_, at) =>
				entry(at + 1, 1, "x".repeat(300)),
			);
			for (const [at, one] of entries.entries())
				log.append(batchOf(at + 1, [one]));
			const early = log.read(1, 1, 1e6);
			const late = log.read(2000, 2000, 1e6);
			log.compact(1500);
			log.append(batchOf(2001, [entry(2001, 1)]));
			const gone = log.read(1, 1, 1e6);
			expect((await early)[0]?.index).toBe(1);
			expect((await late)[0]?.index).toBe(2000);
			await expect(gone).rejects.toBeInstanceOf(RangeError);
			await expect(gone).rejects.toThrow(/^the log has no entry 1 any more/);
			expect((await log.read(2001, 2001, 1e6))[0]?.index).toBe(2001);
			expect(reported.at(-1)).toBe(2001);
			const { firstIndex, segments, bytesHeld } = log.stats();
			expect(firstIndex).toBeGreaterThan(1);
			expect(firstIndex).toBeLessThanOrEqual(1501);
			expect(bytesHeld).toBeGreaterThanOrEqual(segments * segmentBytes);
			await log.close();
			expect(readdirSync(directory)).toHaveLength(segments + 1);
			const again = await open(directory, threaded);
			expect(again.recovered).toMatchObject({ firstIndex, lastIndex: 2001 });
			await again.log.close();
		});

		it("begins anew behind a reset", async () => {
			const directory = join(temporaryDirectory(), "wal");
			const { log, durable } = await open(directory, threaded);
			log.append(batchOf(1, [entry(1, 1), entry(2, 1)]));
			log.append(resetOf(2, { index: 100, term: 5 }));
			await expect(log.read(1, 2, 1e6)).rejects.toThrow(RangeError);
			await durable(2);
			expect(log.stats().firstIndex).toBe(101);
			log.append(batchOf(3, [entry(101, 5)]));
			await log.close();
			const again = await open(directory, threaded);
			expect(again.recovered).toMatchObject({
				firstIndex: 101,
				lastIndex: 101,
			});
			await again.log.close();
		});

		it("refuses to read once it is closed", async () => {
			const { log, durable } = await open(
				join(temporaryDirectory(), "wal"),
				threaded,
			);
			log.append(batchOf(1, [entry(1, 1)]));
			await durable(1);
			await log.close();
			await expect(log.read(1, 1, 1e6)).rejects.toThrow();
		});

		it("leaves a block that is a part of a socket's buffer to its owner", async () => {
			const { log, durable } = await open(
				join(temporaryDirectory(), "wal"),
				threaded,
			);
			const batch = batchOf(1, [entry(1, 1, "x".repeat(300))]);
			const whole = Buffer.concat(batch.blocks);
			const chunk = Buffer.alloc(whole.length + 20, "y");
			chunk.set(whole, 10);
			const block = chunk.subarray(10, 10 + whole.length);
			log.append({ ...batch, blocks: [block] });
			await durable(1);
			expect(chunk.length).toBe(whole.length + 20);
			expect(Buffer.compare(block, whole)).toBe(0);
			await log.close();
		});

		it("does not start on a damaged log, and says which file, where, and what to do", async () => {
			const directory = join(temporaryDirectory(), "wal");
			const { log, durable } = await open(directory, threaded);
			for (let at = 1; at <= 3; at += 1) {
				log.append(batchOf(at, [entry(at, 1, "x".repeat(100))]));
				await durable(at);
			}
			await log.close();
			const path = join(directory, "0000000001.wal");
			const at = readFileSync(path).indexOf("xxxx");
			const file = openSync(path, "r+");
			writeSync(file, "y", at);
			closeSync(file);
			const opening = open(directory, threaded);
			await expect(opening).rejects.toBeInstanceOf(OperatorError);
			await expect(opening).rejects.toMatchObject({
				node: "n1",
				exitCode: 11,
				next: expect.stringMatching(
					/other voters.*go on without it.*remove the member, then add it anew/,
				),
			});
			await expect(opening).rejects.toThrow(`${path} at offset 12288`);
		});
	});
}

describe("the log's thread", () => {
	it("reports a batch that makes no sense as a failure, and acknowledges nothing after it", async () => {
		const { log, reported, failures } = await open(
			join(temporaryDirectory(), "wal"),
			true,
		);
		log.append(batchOf(1, [entry(2, 1)]));
		log.append(batchOf(2, [entry(1, 1)]));
		await log.close();
		expect(failures.map(({ message }) => message)).toEqual([
			"entry 2 cannot follow 0",
		]);
		expect(reported).toEqual([]);
		await expect(log.read(1, 1, 1)).rejects.toThrow("entry 2 cannot follow 0");
	});

	it("keeps the order of batches that fit the ring, of those that do not, and of reads between them", async () => {
		const { log, durable, reported } = await open(
			join(temporaryDirectory(), "wal"),
			true,
		);
		const sizes = Array.from({ length: 60 }, (_, at) =>
			at % 7 === 3 ? 5 * 1024 * 1024 : at % 3 === 0 ? 700_000 : 100,
		);
		const reads: Promise<unknown>[] = [];
		for (const [at, bytes] of sizes.entries()) {
			log.append(batchOf(at + 1, [entry(at + 1, 1, "x".repeat(bytes))]));
			if (at % 5 === 0)
				reads.push(
					log.read(at + 1, at + 1, 1).then(([found]) => {
						expect([found?.index, found?.data.length]).toEqual([at + 1, bytes]);
					}),
				);
		}
		await Promise.all(reads);
		await durable(sizes.length);
		expect(reported).toEqual([...reported].sort((a, b) => a - b));
		await log.close();
	});

	it("writes an entry block that comes in several pieces as one", async () => {
		const directory = join(temporaryDirectory(), "wal");
		const { log, durable } = await open(directory, true);
		const entries = [1, 2, 3, 4].map((at) => entry(at, 1, `entry ${at}`));
		const blocks = [
			entries.slice(0, 1),
			entries.slice(1, 3),
			entries.slice(3),
		].flatMap((some) => batchOf(0, some).blocks);
		log.append({ ...batchOf(1, entries), blocks });
		await durable(1);
		const found = await log.read(1, 4, 1e6);
		expect(found.map(({ data }) => `${data}`)).toEqual(
			entries.map(({ data }) => `${data}`),
		);
		await log.close();
	});

	it("leaves the caller's block usable, as peers are sent the same bytes", async () => {
		const { log, durable } = await open(
			join(temporaryDirectory(), "wal"),
			true,
		);
		const pool = new Uint8Array(1024 * 1024);
		const batch = batchOf(1, [entry(1, 1)]);
		const whole = Buffer.concat(batch.blocks);
		pool.set(whole, 512);
		const block = pool.subarray(512, 512 + whole.length);
		log.append({ ...batch, blocks: [block] });
		await durable(1);
		expect(Buffer.compare(block, whole)).toBe(0);
		await log.close();
	});

	it("makes writes durable while the libuv pool is full, as it does not use it (P67)", async () => {
		const directory = temporaryDirectory();
		const { log, durable } = await open(join(directory, "wal"), true);
		const pool = new FullPool();
		// What a log on the pool would do: its sync waits behind the jobs that wait already, so most of them end first.
		const file = await openFile(join(directory, "file"), "w");
		const sync = await pool.endedDuring(() => file.datasync());
		expect(sync).toBeGreaterThanOrEqual(FullPool.waiting);
		// Each batch waits for the one before it: on the pool all of them would need this many jobs to end, however fast
		// or slow the machine is.
		const batches = 60;
		const ended = await pool.endedDuring(async () => {
			for (let at = 1; at <= batches; at += 1) {
				log.append(batchOf(at, [entry(at, 1)]));
				await durable(at);
			}
		});
		expect(ended).toBeLessThan(batches * FullPool.waiting);
		await pool.empty();
		await file.close();
		await log.close();
	});

	it("loses nothing that it reported when the process is killed under load, again and again", async () => {
		const directory = join(temporaryDirectory(), "wal");
		const program = fileURLToPath(
			await compiled(join(import.meta.dirname, "load-process.ts")),
		);
		let promised = 0;
		let compacted = false;
		for (let round = 1; round <= 6; round += 1) {
			const child = fork(program, [directory, workerUrl.href], {
				stdio: "inherit",
			});
			let durable = 0;
			child.on("message", (index: number) => {
				durable = index;
				if (index > promised + 150 * round) child.kill("SIGKILL");
			});
			await once(child, "exit");
			expect(child.signalCode).toBe("SIGKILL");
			promised = durable;
			const { log, recovered } = await open(directory, true);
			expect(recovered.lastIndex).toBeGreaterThanOrEqual(promised);
			// Only what was compacted is gone.
			expect(recovered.firstIndex).toBeLessThan(
				Math.max(2, recovered.lastIndex - 199),
			);
			compacted ||= recovered.firstIndex > 1;
			let read = recovered.firstIndex - 1;
			while (read < recovered.lastIndex) {
				const entries = await log.read(
					read + 1,
					recovered.lastIndex,
					64 * 1024,
				);
				for (const { index, data } of entries)
					expect(Buffer.from(data).toString()).toBe(`entry ${index}`);
				read += entries.length;
			}
			await log.close();
		}
		expect(compacted).toBe(true);
	});
});
