import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameBatch } from "../../src/wire/client-frame-batch.js";
import {
	decodeRequestFrame,
	decodeResponseFrame,
} from "../../src/wire/client-frame-reader.js";
import {
	acks,
	bodyHeaderBytes,
	consistencies,
	featuresOf,
	outcomes,
	type RequestFrame,
	type ResponseFrame,
	reasons,
	streamFeatures,
} from "../../src/wire/client-frames.js";
import { FrameError, FrameSplitter } from "../../src/wire/frame-splitter.js";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const bytes = fc.uint8Array({ maxLength: 3000 });

const session = u48
	.filter((sequence) => sequence > 0)
	.chain((sequence) =>
		fc.record({
			id: u48.filter((id) => id > 0),
			sequence: fc.constant(sequence),
			acknowledged: fc.integer({ min: 0, max: sequence - 1 }),
		}),
	);
const level = fc.integer({ min: 1, max: 255 });

const requests: fc.Arbitrary<RequestFrame> = fc.oneof(
	fc.record({
		kind: fc.constant("command" as const),
		requestId: u32,
		ack: fc.constantFrom(...acks),
		deadlineMs: u32,
		command: bytes,
	}),
	fc.record(
		{
			kind: fc.constant("command" as const),
			requestId: u32,
			ack: fc.constantFrom(...acks),
			deadlineMs: u32,
			command: bytes,
			session,
			level,
		},
		{
			requiredKeys: ["kind", "requestId", "ack", "deadlineMs", "command"],
		},
	),
	fc.record({
		kind: fc.constant("open-session" as const),
		requestId: u32,
		deadlineMs: u32,
	}),
	fc.record({
		kind: fc.constant("query" as const),
		requestId: u32,
		consistency: fc.constantFrom(...consistencies),
		minIndex: u48,
		deadlineMs: u32,
		query: bytes,
	}),
	fc.record({
		kind: fc.constant("query" as const),
		requestId: u32,
		consistency: fc.constant("stale" as const),
		wantsAge: fc.constant(true),
		minIndex: u48,
		deadlineMs: u32,
		query: bytes,
	}),
);

const responses: fc.Arbitrary<ResponseFrame> = fc.oneof(
	fc.record({
		kind: fc.constant("result" as const),
		requestId: u32,
		index: u48,
		result: bytes,
	}),
	fc.record({
		kind: fc.constant("result" as const),
		requestId: u32,
		index: u48,
		ageMs: u32,
		result: bytes,
	}),
	fc.record({
		kind: fc.constant("session" as const),
		requestId: u32,
		id: u48,
		ttlMs: u32,
	}),
	fc.record({
		kind: fc.constant("failed" as const),
		requestId: u32,
		outcome: fc.constantFrom(...outcomes),
		reason: fc.constantFrom(...reasons),
		retryAfterMs: u32,
		message: fc.string({ unit: "grapheme", maxLength: 200 }),
	}),
	fc.constant({ kind: "goaway" as const, requestId: 0 as const }),
);

function add(batch: FrameBatch, frame: RequestFrame | ResponseFrame): void {
	if (frame.kind === "command") batch.command(frame);
	else if (frame.kind === "query") batch.query(frame);
	else if (frame.kind === "open-session") batch.openSession(frame);
	else if (frame.kind === "session")
		batch.session(frame.requestId, frame.id, frame.ttlMs);
	else if (frame.kind === "result") {
		const { requestId, index, ageMs, result } = frame;
		if (ageMs === undefined) batch.result(requestId, index, result);
		else batch.agedResult(requestId, { index, ageMs }, result);
	} else if (frame.kind === "failed") batch.failed(frame);
	else batch.goaway();
}

function encoded(
	frames: readonly (RequestFrame | ResponseFrame)[],
	takeEvery: number,
): Buffer {
	const batch = new FrameBatch();
	const taken: Buffer[] = [];
	frames.forEach((frame, position) => {
		add(batch, frame);
		if (position % takeEvery === 0) taken.push(batch.take());
	});
	taken.push(batch.take());
	return Buffer.concat(taken);
}

function split(
	stream: Buffer,
	cuts: readonly number[],
	onFrame: (frame: Buffer) => void,
): void {
	const splitter = new FrameSplitter({
		minFrameBytes: bodyHeaderBytes,
		maxFrameBytes: 10_000,
	});
	const offsets = [...cuts.map((cut) => cut % (stream.length + 1))].sort(
		(a, b) => a - b,
	);
	let at = 0;
	for (const offset of [...offsets, stream.length]) {
		splitter.push(stream.subarray(at, offset), onFrame);
		at = offset;
	}
	expect(splitter.partial).toBe(false);
}

/** Buffers and arrays of the same bytes are equal here. */
function plain(frame: object): object {
	return Object.fromEntries(
		Object.entries(frame).map(([name, value]) => [
			name,
			value instanceof Uint8Array
				? Buffer.from(value).toString("hex")
				: typeof value === "object"
					? { ...value }
					: value,
		]),
	);
}

const cuts = fc.array(fc.nat(), { maxLength: 30 });

describe("client frames", () => {
	it("come out as they went in, however the stream is cut", () => {
		fc.assert(
			fc.property(
				fc.array(requests, { maxLength: 12 }),
				cuts,
				fc.integer({ min: 1, max: 5 }),
				(frames, at, takeEvery) => {
					const seen: object[] = [];
					split(encoded(frames, takeEvery), at, (frame) =>
						seen.push(plain(decodeRequestFrame(frame))),
					);
					expect(seen).toEqual(frames.map(plain));
				},
			),
		);
		fc.assert(
			fc.property(
				fc.array(responses, { maxLength: 12 }),
				cuts,
				(frames, at) => {
					const seen: object[] = [];
					split(encoded(frames, 3), at, (frame) =>
						seen.push(plain(decodeResponseFrame(frame))),
					);
					expect(seen).toEqual(frames.map(plain));
				},
			),
		);
	});

	it("are refused with FrameError, and nothing else, when they are garbage", () => {
		const outcome = (read: () => unknown) => {
			try {
				read();
				return "read";
			} catch (error) {
				return error instanceof FrameError ? "refused" : error;
			}
		};
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 5, maxLength: 40 }), (garbage) => {
				const frame = Buffer.from(garbage);
				expect(["read", "refused"]).toContain(
					outcome(() => decodeRequestFrame(frame)),
				);
				expect(["read", "refused"]).toContain(
					outcome(() => decodeResponseFrame(frame)),
				);
			}),
		);
		expect(() => decodeRequestFrame(Buffer.from([16, 0, 0, 0, 0]))).toThrow(
			FrameError,
		);
		expect(() => decodeRequestFrame(Buffer.from([1, 0, 0, 0, 0, 2]))).toThrow(
			FrameError,
		);
	});

	it("of a newer client are refused one by one, under their own request ids", () => {
		const refused = (...bytes: number[]) =>
			decodeRequestFrame(Buffer.from(bytes));
		const kind = { kind: "refused", requestId: 9, reason: "unsupported" };
		expect(refused(15, 9, 0, 0, 0)).toMatchObject(kind);
		expect(refused(1, 9, 0, 0, 0, 3, 0, 0, 0, 0)).toMatchObject({
			...kind,
			message: "this release does not know ack 3",
		});
		const query = [2, 9, 0, 0, 0, 4, ...Array(10).fill(0)];
		expect(refused(...query)).toMatchObject({
			...kind,
			message: "this release does not know consistency 4",
		});
		expect(() => refused(15, 0, 0, 0, 0)).toThrow(FrameError);
	});

	it("refuse a place in a session that acknowledges itself", () => {
		const batch = new FrameBatch();
		batch.command({
			...{ requestId: 5, ack: "apply", deadlineMs: 1 },
			command: Buffer.from("c"),
			session: { id: 7, sequence: 3, acknowledged: 3 },
		});
		expect(decodeRequestFrame(batch.take().subarray(4))).toMatchObject({
			...{ kind: "refused", requestId: 5, reason: "invalid" },
		});
	});

	it("name their features in a header, of which unknown ones are passed over", () => {
		expect([...featuresOf(streamFeatures.join(", "))]).toEqual([
			...streamFeatures,
		]);
		expect([...featuresOf("lease,telepathy")]).toEqual(["lease"]);
		expect([...featuresOf(undefined)]).toEqual([]);
	});

	it("are refused by their length alone, before any of it is kept", () => {
		const splitter = () =>
			new FrameSplitter({ minFrameBytes: 5, maxFrameBytes: 100 });
		const length = (value: number) => {
			const header = Buffer.alloc(4);
			header.writeUInt32LE(value);
			return header;
		};
		const refuse = () => expect.unreachable("no frame is complete");
		expect(() => splitter().push(length(101), refuse)).toThrow(FrameError);
		expect(() => splitter().push(length(4), refuse)).toThrow(FrameError);
		expect(() => splitter().push(length(0xffff_ffff), refuse)).toThrow(
			FrameError,
		);
		const held = splitter();
		held.push(length(100), refuse);
		expect(held.partial).toBe(true);
	});

	it("are never overwritten once taken", () => {
		const batch = new FrameBatch();
		batch.result(1, 7, Buffer.from("first"));
		const first = batch.take();
		const copy = Buffer.from(first);
		batch.result(2, 8, Buffer.from("second"));
		expect(batch.take().equals(first)).toBe(false);
		expect(first.equals(copy)).toBe(true);
		expect(batch.bytes).toBe(0);
	});

	it("have the layout that the document gives", () => {
		const batch = new FrameBatch();
		batch.command({
			requestId: 0x01020304,
			ack: "apply",
			deadlineMs: 5000,
			command: Buffer.from("hi"),
		});
		batch.query({
			requestId: 2,
			consistency: "stale",
			minIndex: 2 ** 40 + 1,
			deadlineMs: 1,
			query: Buffer.from("?"),
		});
		batch.result(3, 2 ** 33, Buffer.from("ok"));
		batch.failed({
			requestId: 4,
			outcome: "unknown",
			reason: "unknown",
			retryAfterMs: 0,
			message: "m",
		});
		batch.goaway();
		batch.openSession({ requestId: 5, deadlineMs: 5000 });
		batch.command({
			requestId: 6,
			ack: "commit",
			deadlineMs: 1,
			session: { id: 2 ** 40, sequence: 3, acknowledged: 2 },
			level: 4,
			command: Buffer.from("!"),
		});
		batch.command({
			...{ requestId: 7, ack: "none", deadlineMs: 1, level: 2 },
			command: Buffer.from("!"),
		});
		batch.query({
			...{ requestId: 8, consistency: "lease", minIndex: 0, deadlineMs: 1 },
			query: Buffer.from("?"),
		});
		batch.query({
			...{ requestId: 9, consistency: "stale", minIndex: 0, deadlineMs: 1 },
			...{ wantsAge: true, query: Buffer.from("?") },
		});
		batch.session(10, 2 ** 40, 60_000);
		batch.agedResult(11, { index: 1, ageMs: 2.5 }, Buffer.from("ok"));
		batch.agedResult(12, { index: 1, ageMs: 1e12 }, Buffer.from(""));
		expect(batch.take().toString("hex")).toBe(
			[
				"0c000000 01 04030201 02 88130000 6869",
				"11000000 02 02000000 01 010000000001 01000000 3f",
				"0d000000 10 03000000 000000000200 6f6b",
				"0c000000 11 04000000 01 00 00000000 6d",
				"05000000 12 00000000",
				"09000000 03 05000000 88130000",
				"1e000000 04 06000000 01 04 01000000 000000000001 030000000000 020000000000 21",
				"0c000000 05 07000000 00 02 01000000 21",
				"11000000 02 08000000 02 000000000000 01000000 3f",
				"11000000 02 09000000 03 000000000000 01000000 3f",
				"0f000000 13 0a000000 000000000001 60ea0000",
				"11000000 14 0b000000 010000000000 03000000 6f6b",
				"0f000000 14 0c000000 010000000000 ffffffff",
			]
				.join("")
				.replaceAll(" ", ""),
		);
	});
});
