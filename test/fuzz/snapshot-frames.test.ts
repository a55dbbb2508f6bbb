import assert from "node:assert/strict";
import { describe } from "vitest";
import { FrameError } from "../../src/wire/frame-splitter.js";
import {
	decodeSnapshotFrame,
	encodeSnapshotDataHead,
	encodeSnapshotFrame,
	type SnapshotFrame,
} from "../../src/wire/snapshot-frames.js";
import type { Random } from "../sim/random.js";
import { allocated } from "./allocation.js";
import { fuzz, outcome } from "./fuzz.js";
import { garbage, mutated } from "./mutations.js";
import { expectSafe, u48 } from "./numbers.js";

function sound(random: Random): Buffer {
	const index = u48(random);
	const id = random.pick(["0", "0123456789abcdef", "f".repeat(64)]);
	return encoded(
		random.pick<SnapshotFrame>([
			{ type: "request", index },
			{ type: "head", index, fileBytes: u48(random), id },
			{ type: "from", offset: u48(random) },
			{ type: "data", offset: u48(random), bytes: garbage(random, 30) },
			{ type: "gone" },
		]),
	);
}

/** Without its length. */
function encoded(frame: SnapshotFrame): Buffer {
	if (frame.type !== "data") return encodeSnapshotFrame(frame).subarray(4);
	const { offset, bytes } = frame;
	const head = encodeSnapshotDataHead(offset, bytes.length);
	return Buffer.concat([head, bytes]).subarray(4);
}

describe("a frame about a snapshot", () => {
	fuzz("is refused, or says what its bytes say", 2_000, (random) => {
		const bytes = mutated(sound(random), random, sound(random));
		const { value, bytes: made } = allocated(() =>
			outcome(() => decodeSnapshotFrame(bytes), FrameError),
		);
		assert(made <= 64, `${made} bytes for a frame of ${bytes.length}`);
		if ("refused" in value) return;
		expectSafe(value.value);
		assert.deepEqual(encoded(value.value), bytes);
	});
});
