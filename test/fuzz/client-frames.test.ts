import assert from "node:assert/strict";
import { describe } from "vitest";
import { FrameBatch } from "../../src/wire/client-frame-batch.js";
import {
	decodeRequestFrame,
	decodeResponseFrame,
} from "../../src/wire/client-frame-reader.js";
import {
	bodyHeaderBytes,
	ClientFrameKind,
	type RequestFrame,
	type ResponseFrame,
} from "../../src/wire/client-frames.js";
import { FrameError } from "../../src/wire/frame-splitter.js";
import { allocated } from "./allocation.js";
import { soundAnswer, soundRequest } from "./client-frame-samples.js";
import { fuzz, outcome } from "./fuzz.js";
import { garbage, mutated } from "./mutations.js";
import { expectSafe } from "./numbers.js";

function requestAgain(frame: RequestFrame): Buffer {
	const batch = new FrameBatch();
	if (frame.kind === "query") batch.query(frame);
	else if (frame.kind === "open-session") batch.openSession(frame);
	else batch.command(frame);
	return batch.take().subarray(4);
}

function answerAgain(frame: ResponseFrame): Buffer {
	const batch = new FrameBatch();
	const { requestId } = frame;
	if (frame.kind === "goaway") batch.goaway();
	else if (frame.kind === "session")
		batch.session(requestId, frame.id, frame.ttlMs);
	else if (frame.kind === "failed") batch.failed(frame);
	else {
		const { index, ageMs, result } = frame;
		if (ageMs === undefined) batch.result(requestId, index, result);
		else batch.agedResult(requestId, { index, ageMs }, result);
	}
	return batch.take().subarray(4);
}

/** Null when it is refused. The splitter lets no frame pass that is shorter than its header. */
function read<Frame>(decode: (bytes: Buffer) => Frame, bytes: Buffer) {
	if (bytes.length < bodyHeaderBytes) return null;
	const { value, bytes: made } = allocated(() =>
		outcome(() => decode(bytes), FrameError),
	);
	assert(
		made <= 2 * bytes.length + 64,
		`${made} bytes for a frame of ${bytes.length}`,
	);
	return "value" in value ? value.value : null;
}

/** A command of level 0 is one without a level, and what follows a wish for a session is passed over. */
const hasOneSpelling: readonly number[] = [
	ClientFrameKind.command,
	ClientFrameKind.query,
	ClientFrameKind.sessionCommand,
];

function expectRequest(bytes: Buffer): void {
	const frame = read(decodeRequestFrame, bytes);
	if (frame === null) return;
	expectSafe(frame);
	if (frame.kind === "refused") {
		assert(frame.requestId > 0);
		return;
	}
	const again = requestAgain(frame);
	if (hasOneSpelling.includes(bytes[0] as number))
		assert.deepEqual(again, bytes);
	else assert.deepEqual(read(decodeRequestFrame, again), frame);
}

function expectAnswer(bytes: Buffer): void {
	const frame = read(decodeResponseFrame, bytes);
	if (frame === null) return;
	expectSafe(frame);
	const again = answerAgain(frame);
	assert.deepEqual(read(decodeResponseFrame, again), frame);
}

describe("a frame of a client", () => {
	fuzz("is refused, or says what its bytes say", 2_500, (random) => {
		const sound = soundRequest(random);
		expectRequest(sound);
		expectRequest(mutated(sound, random, soundRequest(random)));
	});

	fuzz("of noise is refused, or says what its bytes say", 1_000, (random) => {
		const bytes = garbage(random, random.whole(bodyHeaderBytes, 64));
		if (random.chance(0.8)) bytes[0] = random.below(24);
		expectRequest(bytes);
		expectAnswer(bytes);
	});
});

describe("a frame of a node to a client", () => {
	fuzz("is refused, or says what its bytes say", 2_500, (random) => {
		const sound = soundAnswer(random);
		expectAnswer(sound);
		expectAnswer(mutated(sound, random, soundAnswer(random)));
	});
});
