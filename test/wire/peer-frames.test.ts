import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockBytes, encodeBlock } from "../../src/raft/codec.js";
import type { Entry, Message } from "../../src/raft/types.js";
import type {
	ForwardAnswer,
	ForwardedCommand,
} from "../../src/wire/forward-frames.js";
import { FrameError, FrameSplitter } from "../../src/wire/frame-splitter.js";
import { PeerFrameBatch } from "../../src/wire/peer-frame-batch.js";
import {
	decodePeerFrame,
	maxPeerFrameBytes,
	PeerFrameKind,
} from "../../src/wire/peer-frames.js";

const link = { from: "n1", to: "n2" };
const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const index = fc.integer({ min: 0, max: 2 ** 47 });

function bytesOf(batch: PeerFrameBatch): Buffer {
	return Buffer.concat(batch.take().map(({ bytes }) => bytes));
}

function framesOf(bytes: Buffer): Buffer[] {
	const frames: Buffer[] = [];
	new FrameSplitter({
		minFrameBytes: 1,
		maxFrameBytes: maxPeerFrameBytes,
	}).push(bytes, (frame) => frames.push(Buffer.from(frame)));
	return frames;
}

function blockOf(entries: readonly Entry[]): Uint8Array {
	const block = new Uint8Array(blockBytes(entries));
	encodeBlock(entries, block, 0);
	return block;
}

function encoded(message: Message): Buffer {
	const batch = new PeerFrameBatch();
	batch.message(
		message,
		message.type === "append-request"
			? blockOf(message.entries)
			: new Uint8Array(0),
	);
	return bytesOf(batch);
}

const small = fc.oneof(
	fc.record({
		type: fc.constant("vote-request" as const),
		term: fc.constant(2 ** 48 - 1),
		pre: fc.boolean(),
		transfer: fc.boolean(),
		attempt: u48,
		lastIndex: u48,
		lastTerm: u48,
	}),
	fc.record({
		type: fc.constant("vote-response" as const),
		term: u48,
		pre: fc.boolean(),
		attempt: u48,
		granted: fc.boolean(),
	}),
	fc.record({
		type: fc.constant("append-response" as const),
		term: u48,
		session: u48,
		success: fc.boolean(),
		match: u48,
		rejected: u48,
		hintIndex: u48,
		hintTerm: u48,
	}),
	fc.record({
		type: fc.constant("heartbeat" as const),
		term: u48,
		session: u48,
		commit: u48,
		read: u48,
		stamp: u48,
		currentCommit: u48,
		currentStamp: u48,
	}),
	fc.record({
		type: fc.constant("heartbeat-response" as const),
		term: u48,
		session: u48,
		read: u48,
		stamp: u48,
	}),
	fc.tuple(u48, u48, u48, u48).map(([a, b, session, snapshotIndex]) => ({
		type: "snapshot-offer" as const,
		term: Math.max(a, b),
		session,
		snapshotIndex,
		snapshotTerm: Math.min(a, b),
	})),
	fc.record({ type: fc.constant("timeout-now" as const), term: u48 }),
	fc.record({
		type: fc.constant("read-request" as const),
		term: u48,
		sequence: u48,
	}),
	fc.record({
		type: fc.constant("read-response" as const),
		term: u48,
		sequence: u48,
		index: fc.option(u48),
	}),
);

const append = fc
	.record({
		prevIndex: index,
		terms: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }),
		session: u48,
		commit: u48,
		dataBytes: fc.constantFrom(0, 1, 60, 900),
	})
	.map(({ prevIndex, terms, session, commit, dataBytes }) => {
		let term = 5;
		const entries = terms.map((step, at): Entry => {
			term += step;
			return {
				index: prevIndex + 1 + at,
				term,
				kind: 1,
				level: 1,
				data: Buffer.alloc(dataBytes, at),
			};
		});
		return {
			type: "append-request" as const,
			term: 1000,
			session,
			prevIndex,
			prevTerm: 5,
			entries,
			commit,
		};
	});

const message = fc
	.oneof(small, append)
	.map((fields) => ({ ...fields, ...link }) as Message);

const command: fc.Arbitrary<ForwardedCommand> = fc.record({
	requestId: u48,
	kind: fc.constantFrom(1 as const, 3 as const, 4 as const),
	level: fc.nat(255),
	ack: fc.constantFrom("none" as const, "commit" as const, "apply" as const),
	deadlineMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
	command: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

const answer: fc.Arbitrary<ForwardAnswer> = fc.record({
	requestId: u48,
	outcome: fc.oneof(
		fc.record({ kind: fc.constant("committed" as const), index: u48 }),
		fc.record({
			kind: fc.constant("applied" as const),
			index: u48,
			result: fc
				.uint8Array({ maxLength: 300 })
				.map((bytes) => Buffer.from(bytes)),
		}),
		fc.record({ kind: fc.constant("retry" as const) }),
		fc.record({
			kind: fc.constant("rejected" as const),
			reason: fc.constantFrom("overloaded" as const, "timeout" as const),
			retryAfterMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
			message: fc.string({ unit: "grapheme", maxLength: 40 }),
		}),
		fc.record({
			kind: fc.constant("unknown" as const),
			message: fc.string({ unit: "grapheme", maxLength: 40 }),
		}),
	),
});

describe("frames between peers", () => {
	it("come out as the messages that went in, in order", () => {
		fc.assert(
			fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
				const batch = new PeerFrameBatch();
				for (const each of messages) {
					const entries =
						each.type === "append-request"
							? blockOf(each.entries)
							: blockOf([]);
					batch.message(each, entries);
				}
				const announced = batch.bytes;
				const bytes = bytesOf(batch);
				expect(bytes.length).toBe(announced);
				const decoded = framesOf(bytes).map((frame) => {
					const { block, ...rest } = decodePeerFrame(frame, link) as Message & {
						block?: Uint8Array;
					};
					if (rest.type === "append-request")
						expect(block).toEqual(Buffer.from(blockOf(rest.entries)));
					return rest;
				});
				expect(decoded).toEqual(messages);
			}),
		);
	});

	it("carry forwarded commands and their outcomes", () => {
		fc.assert(
			fc.property(fc.array(command), fc.array(answer), (commands, answers) => {
				const batch = new PeerFrameBatch();
				batch.forward(commands);
				batch.outcomes(answers);
				const decoded = framesOf(bytesOf(batch)).map((frame) =>
					decodePeerFrame(frame, link),
				);
				expect(decoded).toEqual([
					{ type: "forward", commands },
					{ type: "outcomes", answers },
				]);
			}),
		);
	});

	it("are refused when they are cut short anywhere, or go on too long", () => {
		fc.assert(
			fc.property(small, fc.nat(), (fields, cut) => {
				const [frame] = framesOf(encoded({ ...fields, ...link } as Message));
				const whole = frame as Buffer;
				const short = whole.subarray(0, cut % whole.length);
				const long = Buffer.concat([whole, Buffer.from([0])]);
				if (short.length > 0)
					expect(() => decodePeerFrame(short, link)).toThrow(FrameError);
				expect(() => decodePeerFrame(long, link)).toThrow(FrameError);
			}),
		);
	});

	it("never do worse to a reader of garbage than a FrameError", () => {
		const kinds = [...Object.values(PeerFrameKind), 0, 200];
		fc.assert(
			fc.property(
				fc.constantFrom(...kinds),
				fc.uint8Array({ maxLength: 200 }),
				(kind, payload) => {
					const frame = Buffer.from([kind, ...payload]);
					try {
						decodePeerFrame(frame, link);
					} catch (error) {
						expect(error).toBeInstanceOf(FrameError);
					}
				},
			),
			{ numRuns: 2000 },
		);
	});

	it("never do worse when bytes of real ones are changed", () => {
		fc.assert(
			fc.property(
				append,
				fc.nat(),
				fc.nat({ max: 255 }),
				(fields, at, byte) => {
					const [frame] = framesOf(encoded({ ...fields, ...link } as Message));
					const changed = Buffer.from(frame as Buffer);
					changed[at % changed.length] = byte;
					try {
						const decoded = decodePeerFrame(changed, link);
						if (decoded.type === "append-request")
							expect(decoded.entries[0]?.index ?? decoded.prevIndex + 1).toBe(
								decoded.prevIndex + 1,
							);
					} catch (error) {
						expect(error).toBeInstanceOf(FrameError);
					}
				},
			),
		);
	});

	it("are refused when their entries do not follow what they claim to follow", () => {
		const entry = (position: number, term: number): Entry => ({
			...{ index: position, term, kind: 1, level: 1 },
			data: Buffer.from("x"),
		});
		const request = (entries: Entry[], term = 9): Buffer => {
			const rest = { session: 1, prevIndex: 4, prevTerm: 3, commit: 0 };
			const fields = { ...link, ...rest, term, entries };
			const [frame] = framesOf(encoded({ type: "append-request", ...fields }));
			return frame as Buffer;
		};
		expect(() => decodePeerFrame(request([entry(6, 3)]), link)).toThrow(
			"entry 6 sent to follow 4",
		);
		expect(() => decodePeerFrame(request([entry(5, 2)]), link)).toThrow(
			"has term 2 after 3",
		);
		expect(() =>
			decodePeerFrame(request([entry(5, 4), entry(6, 3)]), link),
		).toThrow("has term 3 after 4");
		expect(() => decodePeerFrame(request([entry(5, 10)]), link)).toThrow(
			"entries of term 10 sent in term 9",
		);
		expect(decodePeerFrame(request([entry(5, 9)]), link)).toMatchObject({
			type: "append-request",
		});
	});

	it("hand a long block over as it is, with nothing between it and its header", () => {
		const data = Buffer.alloc(100_000, 7);
		const entries = [{ index: 1, term: 1, kind: 1, level: 1, data }] as const;
		const block = blockOf(entries);
		const batch = new PeerFrameBatch();
		const rest = { session: 1, prevIndex: 0, prevTerm: 0, commit: 0 };
		batch.message(
			{ type: "append-request", ...link, ...rest, term: 1, entries },
			block,
		);
		const parts = batch.take();
		expect(parts.map(({ endsFrame }) => endsFrame)).toEqual([false, true]);
		expect(parts[1]?.bytes).toBe(block);
	});
});
