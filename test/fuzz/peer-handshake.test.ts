import assert from "node:assert/strict";
import { describe } from "vitest";
import { FrameError } from "../../src/wire/frame-splitter.js";
import {
	decodeGreeting,
	decodeHello,
	encodeHello,
	encodeRefused,
	encodeWelcome,
	newestPeerVersion,
	refusalCauses,
} from "../../src/wire/peer-handshake.js";
import type { Random } from "../sim/random.js";
import { allocated } from "./allocation.js";
import { fuzz, outcome } from "./fuzz.js";
import { garbage, mutated } from "./mutations.js";
import { expectSafe } from "./numbers.js";

function name(random: Random): string {
	return random.pick(["n1", "n2", "c1", "ä", "x".repeat(255), "__proto__"]);
}

function hello(random: Random): Buffer {
	const whole = encodeHello({
		oldestVersion: 1,
		newestVersion: random.pick([1, 2, 65_535]),
		purpose: random.pick(["messages", "snapshot"] as const),
		...{ clusterId: name(random), from: name(random) },
		...{ incarnation: name(random), to: name(random) },
		levels: { readsFrom: 1, readsTo: 3, writes: 2 },
	});
	return whole.subarray(4);
}

function greeting(random: Random): Buffer {
	const whole = random.chance(0.5)
		? encodeWelcome({
				version: 1,
				nodeId: name(random),
				incarnation: name(random),
			})
		: encodeRefused({
				cause: random.pick(refusalCauses),
				sentence: "so sind sie nicht ".repeat(random.below(40)),
			});
	return whole.subarray(4);
}

function read<Frame>(decode: (bytes: Buffer) => Frame, bytes: Buffer) {
	const { value, bytes: made } = allocated(() =>
		outcome(() => decode(bytes), FrameError),
	);
	assert(
		made <= 2 * bytes.length + 64,
		`${made} bytes for a frame of ${bytes.length}`,
	);
	return "value" in value ? value.value : null;
}

describe("the first words of a peer", () => {
	fuzz("are refused, or say what their bytes say", 2_000, (random) => {
		const bytes = mutated(hello(random), random, hello(random));
		const heard = read(decodeHello, bytes);
		if (heard === null) return;
		expectSafe(heard);
		const again = encodeHello(heard).subarray(4);
		// Behind the words of a later version stands what this one does not know.
		if (heard.newestVersion > newestPeerVersion)
			assert.deepEqual(bytes.subarray(0, again.length), again);
		else assert.deepEqual(bytes, again);
	});

	fuzz("are answered by words that are refused, or read", 2_000, (random) => {
		const bytes = mutated(greeting(random), random, greeting(random));
		const heard = read(decodeGreeting, bytes);
		if (heard === null) return;
		expectSafe(heard);
		if (heard.type !== "welcome") return;
		const again = encodeWelcome(heard).subarray(4);
		assert.deepEqual(bytes.subarray(0, again.length), again);
	});

	fuzz("of noise are refused", 500, (random) => {
		const bytes = garbage(random, random.whole(1, 64));
		assert.equal(read(decodeHello, bytes), null);
		read(decodeGreeting, bytes);
	});
});
