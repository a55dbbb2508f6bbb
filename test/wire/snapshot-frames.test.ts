import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameError, FrameSplitter } from "../../src/wire/frame-splitter.js";
import {
	decodeSnapshotFrame,
	encodeSnapshotDataHead,
	encodeSnapshotFrame,
	maxSnapshotFrameBytes,
	type SnapshotFrame,
	snapshotPieceBytes,
} from "../../src/wire/snapshot-frames.js";

const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const spoken: fc.Arbitrary<Exclude<SnapshotFrame, { type: "data" }>> = fc.oneof(
	fc.record({ type: fc.constant("request" as const), index: u48 }),
	fc.record({
		type: fc.constant("head" as const),
		...{ index: u48, fileBytes: u48 },
		id: fc.stringMatching(/^[0-9a-f]{1,64}$/),
	}),
	fc.record({ type: fc.constant("from" as const), offset: u48 }),
	fc.record({ type: fc.constant("gone" as const) }),
);

function framesOf(bytes: Buffer): Buffer[] {
	const frames: Buffer[] = [];
	new FrameSplitter({
		minFrameBytes: 1,
		maxFrameBytes: maxSnapshotFrameBytes,
	}).push(bytes, (frame) => frames.push(frame));
	return frames;
}

describe("the frames about a snapshot", () => {
	it("come out as they went in", () => {
		fc.assert(
			fc.property(spoken, (said) => {
				const [frame, ...more] = framesOf(encodeSnapshotFrame(said));
				expect(more).toEqual([]);
				expect(decodeSnapshotFrame(frame as Buffer)).toEqual(said);
			}),
		);
	});

	it("carry a piece of the file, the longest one included, and where it lies", () => {
		for (const length of [1, 1000, snapshotPieceBytes]) {
			const piece = Buffer.alloc(length, 7);
			const offset = 2 ** 40 + 5;
			const whole = Buffer.concat([
				encodeSnapshotDataHead(offset, length),
				piece,
			]);
			const [frame] = framesOf(whole);
			const decoded = decodeSnapshotFrame(frame as Buffer);
			expect(decoded).toEqual({ type: "data", offset, bytes: piece });
		}
	});

	it("that are cut, go on, or are of an unknown kind are refused", () => {
		fc.assert(
			fc.property(spoken, fc.nat(), (said, cut) => {
				const [frame] = framesOf(encodeSnapshotFrame(said)) as [Buffer];
				const short = frame.subarray(0, cut % frame.length);
				const isShorterId = said.type === "head" && short.length > 13;
				if (!isShorterId)
					expect(() => decodeSnapshotFrame(short)).toThrow(FrameError);
				if (said.type !== "head")
					expect(() =>
						decodeSnapshotFrame(Buffer.concat([frame, Buffer.from("x")])),
					).toThrow(FrameError);
			}),
		);
		expect(() => decodeSnapshotFrame(Buffer.from([1, 2, 3]))).toThrow(
			FrameError,
		);
	});

	it("name no file of the sender's choice", () => {
		for (const id of ["../../etc/passwd", "a/b", "", "A", "a".repeat(65)]) {
			const [frame] = framesOf(
				encodeSnapshotFrame({ type: "head", index: 1, fileBytes: 1, id }),
			) as [Buffer];
			expect(() => decodeSnapshotFrame(frame)).toThrow("not hexadecimal");
		}
	});

	it("never do worse to a reader of garbage than a FrameError", () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
				try {
					decodeSnapshotFrame(Buffer.from(bytes));
				} catch (error) {
					expect(error).toBeInstanceOf(FrameError);
				}
			}),
		);
	});
});
