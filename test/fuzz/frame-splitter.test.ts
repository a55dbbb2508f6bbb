import assert from "node:assert/strict";
import { describe, it } from "vitest";
import { FrameError, FrameSplitter } from "../../src/wire/frame-splitter.js";
import type { Random } from "../sim/random.js";
import { allocated } from "./allocation.js";
import { fuzz } from "./fuzz.js";
import { chunked, garbage, mutated } from "./mutations.js";

const limits = { minFrameBytes: 1, maxFrameBytes: 4096 };

interface Split {
	readonly frames: readonly string[];
	/** Why it went no further, or how much of a frame is left over. */
	readonly end: string;
}

/** What the stream is by its description, read at once. */
function described(bytes: Buffer): Split {
	const frames: string[] = [];
	let at = 0;
	while (bytes.length - at >= 4) {
		const length = bytes.readUInt32LE(at);
		if (length < limits.minFrameBytes || length > limits.maxFrameBytes)
			return { frames, end: "refused" };
		if (bytes.length - at - 4 < length) break;
		frames.push(bytes.toString("hex", at + 4, at + 4 + length));
		at += 4 + length;
	}
	return { frames, end: at < bytes.length ? "partial" : "whole" };
}

function split(chunks: readonly Buffer[]): Split {
	const splitter = new FrameSplitter(limits);
	const frames: string[] = [];
	try {
		for (const chunk of chunks)
			splitter.push(chunk, (frame) => frames.push(frame.toString("hex")));
	} catch (error) {
		if (!(error instanceof FrameError)) throw error;
		return { frames, end: "refused" };
	}
	return { frames, end: splitter.partial ? "partial" : "whole" };
}

function stream(random: Random, frames: number, largest: number): Buffer {
	const parts = Array.from({ length: frames }, () => {
		const frame = garbage(random, random.whole(1, largest));
		const length = Buffer.alloc(4);
		length.writeUInt32LE(frame.length);
		return Buffer.concat([length, frame]);
	});
	return Buffer.concat(parts);
}

describe("a stream cut into frames", () => {
	fuzz("gives the same frames, however it arrives", 1_500, (random) => {
		const sound = stream(random, random.whole(0, 6), random.pick([3, 2000]));
		const bytes = random.chance(0.5) ? mutated(sound, random) : sound;
		assert.deepEqual(split(chunked(bytes, random)), described(bytes));
	});

	fuzz("holds no more than eight times what has arrived", 300, (random) => {
		const whole = stream(random, 1, 4000);
		const bytes = whole.subarray(0, random.whole(1, whole.length));
		const { bytes: made } = allocated(() => split(chunked(bytes, random)));
		// All that it had before were together less than a seventh of it.
		assert(
			made <= (8 + 8 / 7) * bytes.length + 64,
			`${made} for ${bytes.length}`,
		);
	});

	it("gives the same frames in each of its chunkings", () => {
		const bytes = Buffer.from([1, 0, 0, 0, 7, 3, 0, 0, 0, 1, 2, 3, 9]);
		const whole = described(bytes);
		for (let cuts = 0; cuts < 2 ** (bytes.length - 1); cuts += 1) {
			const chunks: Buffer[] = [];
			let from = 0;
			for (let at = 1; at <= bytes.length; at += 1)
				if (at === bytes.length || cuts & (1 << (at - 1))) {
					chunks.push(bytes.subarray(from, at));
					from = at;
				}
			assert.deepEqual(split(chunks), whole);
		}
	});
});
