import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	BatchRingReader,
	BatchRingWriter,
	batchRingMemory,
} from "../../src/storage/batch-ring.js";
import { compiled } from "./worker-file.js";

const ringBytes = 1024;

describe("a ring of batches", () => {
	it("hands over what it was given, in order, and nothing is written over before it is released", () => {
		const actions = fc.array(
			fc.oneof(
				{ weight: 3, arbitrary: fc.nat({ max: 600 }) },
				{ weight: 2, arbitrary: fc.constant("take" as const) },
				{ weight: 1, arbitrary: fc.constant("release" as const) },
			),
			{ maxLength: 200 },
		);
		fc.assert(
			fc.property(actions, (steps) => {
				const shared = batchRingMemory(ringBytes);
				const writer = new BatchRingWriter(shared);
				const reader = new BatchRingReader(shared);
				const waiting: number[] = [];
				const taken: { piece: Buffer; serial: number; bytes: number }[] = [];
				const sizes = new Map<number, number>();
				let written = 0;
				for (const step of steps) {
					if (step === "release") {
						reader.release();
						taken.length = 0;
					} else if (step === "take") {
						const serial = waiting.shift();
						const piece = reader.take(serial ?? written + 1);
						if (serial === undefined) expect(piece).toBeNull();
						else {
							const bytes = sizes.get(serial) as number;
							taken.push({ piece: piece as Buffer, serial, bytes });
						}
					} else {
						const room = writer.reserve(step);
						if (room === null) {
							// There is always room for a piece when nothing is kept.
							expect(waiting.length + taken.length > 0 || step > 480).toBe(
								true,
							);
							continue;
						}
						expect(room.byteOffset % 8).toBe(0);
						written += 1;
						room.fill(written);
						writer.publish(written);
						waiting.push(written);
						sizes.set(written, step);
					}
					for (const { piece, serial, bytes } of taken) {
						expect(piece.length).toBe(bytes);
						expect(piece.every((byte) => byte === (serial & 0xff))).toBe(true);
					}
				}
			}),
		);
	});

	it("does not hand over a piece before its turn", () => {
		const shared = batchRingMemory(ringBytes);
		const writer = new BatchRingWriter(shared);
		const reader = new BatchRingReader(shared);
		writer.reserve(8)?.fill(7);
		writer.publish(5);
		expect(reader.take(4)).toBeNull();
		expect(reader.take(5)).toEqual(Buffer.alloc(8, 7));
	});

	it("begins anew where nothing waits, so that the same memory is used again", () => {
		const shared = batchRingMemory(ringBytes);
		const writer = new BatchRingWriter(shared);
		const reader = new BatchRingReader(shared);
		const places = [1, 2, 3].map((serial) => {
			const place = writer.reserve(100)?.byteOffset;
			writer.publish(serial);
			reader.take(serial);
			reader.release();
			return place;
		});
		expect(new Set(places).size).toBe(1);
	});

	it("is the same for another thread, through many times its size", async () => {
		const shared = batchRingMemory(ringBytes);
		const writer = new BatchRingWriter(shared);
		const pieces = 20_000;
		const program = await compiled(join(import.meta.dirname, "ring-reader.ts"));
		const worker = new Worker(program, { workerData: { shared, pieces } });
		const summed = new Promise<number>((resolve, reject) => {
			worker.once("message", resolve);
			worker.once("error", reject);
		});
		let sum = 0;
		for (let serial = 1; serial <= pieces; serial++) {
			const bytes = (serial * 37) % 300;
			let room = writer.reserve(bytes);
			while (room === null) {
				await new Promise(setImmediate);
				room = writer.reserve(bytes);
			}
			room.fill(serial);
			sum += (serial & 0xff) * bytes;
			writer.publish(serial);
		}
		expect(await summed).toBe(sum);
	});
});
