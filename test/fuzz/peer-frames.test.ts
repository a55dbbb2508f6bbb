import assert from "node:assert/strict";
import { describe } from "vitest";
import {
	blockBytes,
	encodeBlock,
	encodeConfiguration,
} from "../../src/raft/codec.js";
import { type Entry, EntryKind, type Message } from "../../src/raft/types.js";
import type {
	ForwardAnswer,
	ForwardedCommand,
	ForwardOutcome,
} from "../../src/wire/forward-frames.js";
import { FrameError } from "../../src/wire/frame-splitter.js";
import { PeerFrameBatch } from "../../src/wire/peer-frame-batch.js";
import { decodePeerFrame, type PeerFrame } from "../../src/wire/peer-frames.js";
import type { Random } from "../sim/random.js";
import { allocated } from "./allocation.js";
import { fuzz, outcome } from "./fuzz.js";
import { garbage, mutated } from "./mutations.js";
import { expectSafe, largest48, u48 } from "./numbers.js";

const link = { from: "n1", to: "n2" };

type Draw = (random: Random) => Message;

/** In the order of terms, so that the frame is one a leader or candidate would send. */
function terms(random: Random): readonly [number, number] {
	const [one, other] = [u48(random), u48(random)];
	return [Math.min(one, other), Math.max(one, other)];
}

const messages: readonly Draw[] = [
	(random) => {
		const [lastTerm, term] = terms(random);
		return {
			...{ type: "vote-request", ...link, term, lastTerm },
			...{ attempt: u48(random), lastIndex: u48(random) },
			...{ pre: random.chance(0.5), transfer: random.chance(0.5) },
		};
	},
	(random) => ({
		...{ type: "vote-response", ...link, term: u48(random) },
		...{ attempt: u48(random), pre: random.chance(0.5) },
		granted: random.chance(0.5),
	}),
	appendRequest,
	appendRequest,
	appendRequest,
	(random) => ({
		...{ type: "append-response", ...link, term: u48(random) },
		...{ session: u48(random), success: random.chance(0.5) },
		...{ match: u48(random), rejected: u48(random) },
		...{ hintIndex: u48(random), hintTerm: u48(random) },
	}),
	(random) => ({
		...{ type: "heartbeat", ...link, term: u48(random) },
		...{ session: u48(random), commit: u48(random) },
		...{ read: u48(random), stamp: u48(random) },
		...{ currentCommit: u48(random), currentStamp: u48(random) },
	}),
	(random) => ({
		...{ type: "heartbeat-response", ...link, term: u48(random) },
		...{ session: u48(random), read: u48(random), stamp: u48(random) },
	}),
	(random) => {
		const [snapshotTerm, term] = terms(random);
		return {
			...{ type: "snapshot-offer", ...link, term, snapshotTerm },
			...{ session: u48(random), snapshotIndex: u48(random) },
		};
	},
	(random) => ({ type: "timeout-now", ...link, term: u48(random) }),
	(random) => ({
		...{ type: "read-request", ...link, term: u48(random) },
		sequence: u48(random),
	}),
	(random) => ({
		...{ type: "read-response", ...link, term: u48(random) },
		sequence: u48(random),
		index: random.chance(0.5) ? null : u48(random),
	}),
];

function appendRequest(random: Random): Message {
	const [prevTerm, term] = terms(random);
	const prevIndex = Math.min(u48(random), largest48 - 10);
	const entries = Array.from({ length: random.below(5) }, (_, at): Entry => {
		const kind = random.pick(Object.values(EntryKind));
		const data =
			kind === EntryKind.configuration
				? configuration(random)
				: garbage(random, random.below(40));
		const level = random.below(256);
		return { index: prevIndex + 1 + at, term, kind, level, data };
	});
	return {
		...{ type: "append-request", ...link, term, session: u48(random) },
		...{ prevIndex, prevTerm, entries, commit: u48(random) },
	};
}

function configuration(random: Random): Uint8Array {
	const address = { peer: "h:1", client: "h:2", admin: "h:3" };
	return encodeConfiguration({
		voters: ["n1", "n2"],
		outgoing: random.chance(0.5) ? ["n1"] : [],
		learners: ["n3"],
		addresses: { n1: address, n3: { ...address, incarnation: "i" } },
	});
}

function forwarded(random: Random): ForwardedCommand {
	return {
		requestId: u48(random),
		kind: random.pick([1, 3, 4] as const),
		level: random.below(256),
		ack: random.pick(["none", "commit", "apply"] as const),
		deadlineMs: random.below(2 ** 32),
		command: garbage(random, random.below(40)),
	};
}

function answer(random: Random): ForwardAnswer {
	const message = "ä sentence".repeat(random.pick([0, 1, 80]));
	const outcome = random.pick<ForwardOutcome>([
		{ kind: "committed", index: u48(random) },
		{
			kind: "applied",
			index: u48(random),
			result: garbage(random, random.below(40)),
		},
		{ kind: "retry" },
		{
			kind: "rejected",
			reason: random.pick(["overloaded", "lost", "level"] as const),
			retryAfterMs: random.below(2 ** 32),
			message,
		},
		{ kind: "unknown", message },
	]);
	return { requestId: u48(random), outcome };
}

function soundFrame(random: Random): Buffer {
	const several = <T>(draw: (random: Random) => T) =>
		Array.from({ length: random.below(4) }, () => draw(random));
	const batch = new PeerFrameBatch();
	const choice = random.below(16);
	if (choice === 0) batch.ping();
	else if (choice === 1) batch.pong();
	else if (choice < 4) batch.forward(several(forwarded));
	else if (choice < 6) batch.outcomes(several(answer));
	else encodeMessage(batch, random.pick(messages)(random));
	return bodyOf(batch);
}

function encodeMessage(batch: PeerFrameBatch, message: Message): void {
	const entries = message.type === "append-request" ? message.entries : [];
	const block = new Uint8Array(blockBytes(entries));
	encodeBlock(entries, block, 0);
	batch.message(message, block);
}

/** The one frame in the batch, without its length. */
function bodyOf(batch: PeerFrameBatch): Buffer {
	const bytes = Buffer.concat(batch.take().map((part) => part.bytes));
	assert.equal(bytes.readUInt32LE(0), bytes.length - 4);
	return bytes.subarray(4);
}

function encodedAgain(frame: PeerFrame): Buffer {
	const batch = new PeerFrameBatch();
	if (frame.type === "ping") batch.ping();
	else if (frame.type === "pong") batch.pong();
	else if (frame.type === "forward") batch.forward(frame.commands);
	else if (frame.type === "outcomes") batch.outcomes(frame.answers);
	else encodeMessage(batch, frame);
	return bodyOf(batch);
}

/** Sentences are cut and may be no UTF-8, and an index that is not known may be any. */
function hasOneSpelling(frame: PeerFrame): boolean {
	return (
		frame.type !== "outcomes" &&
		!(frame.type === "read-response" && frame.index === null)
	);
}

function decoded(bytes: Buffer): PeerFrame | null {
	const { value, bytes: made } = allocated(() =>
		outcome(() => decodePeerFrame(bytes, link), FrameError),
	);
	// The decoder makes views: only a configuration's text is written anew.
	assert(
		made <= 2 * bytes.length + 64,
		`${made} bytes for a frame of ${bytes.length}`,
	);
	return "value" in value ? value.value : null;
}

function expectSound(bytes: Buffer): void {
	const frame = decoded(bytes);
	if (frame === null) return;
	expectSafe(frame);
	const again = encodedAgain(frame);
	if (hasOneSpelling(frame)) assert.deepEqual(again, bytes);
	else {
		const normal = encodedAgain(decoded(again) as PeerFrame);
		assert.deepEqual(normal, again);
	}
}

describe("a frame of a peer", () => {
	fuzz("is read as it was written", 1_000, (random) => {
		const bytes = soundFrame(random);
		decodePeerFrame(bytes, link);
		expectSound(bytes);
	});

	fuzz("is refused, or says what its bytes say", 3_000, (random) => {
		expectSound(mutated(soundFrame(random), random, soundFrame(random)));
	});

	fuzz("of noise is refused, or says what its bytes say", 1_000, (random) => {
		const bytes = garbage(random, random.whole(1, 64));
		if (random.chance(0.8)) bytes[0] = random.below(40);
		expectSound(bytes);
	});
});
