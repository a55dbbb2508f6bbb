import assert from "node:assert/strict";
import { describe } from "vitest";
import {
	decodeControl,
	encodeControl,
} from "../../src/machines/control/snapshot.js";
import {
	applyControl,
	createControlState,
} from "../../src/machines/control.js";
import { MachineInputError } from "../../src/machines/machine.js";
import {
	decodeSessionAnswer,
	decodeSessionCommand,
	encodeSessionAnswer,
	encodeSessionCommand,
} from "../../src/machines/session-command.js";
import type { Random } from "../sim/random.js";
import { fuzz, outcome } from "./fuzz.js";
import { mutatedJson } from "./json-mutations.js";
import { garbage, mutated } from "./mutations.js";
import { expectSafe, u48 } from "./numbers.js";

const some = (random: Random) => garbage(random, random.below(30));

const controls = [
	{
		type: "acquire-lock",
		holder: "a",
		host: "h",
		nonce: "1",
		operation: "o",
		ttlMs: 9,
		nowMs: 5,
	},
	{ type: "renew-lock", fencingToken: 1, ttlMs: 9, step: "s", nowMs: 6 },
	{ type: "release-lock", fencingToken: 1, nowMs: 7 },
	{ type: "open-session", ttlMs: 1000, nowMs: 8 },
	{ type: "tick", nowMs: 9 },
	{ type: "set-write-level", level: 2, release: "1.0", nowMs: 3 },
	{
		type: "raise-alarm",
		kind: "state-differs",
		node: "n1",
		index: 7,
		message: "m",
		nowMs: 1,
	},
	{ type: "clear-alarm", kind: "state-differs", node: "n1", nowMs: 1 },
	{ type: "compare-state", index: 9, digest: "00ff", nowMs: 1 },
	{
		type: "write-operation",
		id: "o1",
		unfinished: true,
		record: "{}",
		fencingToken: 1,
		clearPause: true,
		nowMs: 5,
	},
	{ type: "pause-operation", id: "o1", nowMs: 5 },
	{
		type: "set-snapshot-schedule",
		fencingToken: 0,
		schedule: {
			intervalMs: 60_000,
			keep: 3,
			directory: "/b",
			command: ["c", "d"],
			s3: { endpoint: "http://h", bucket: "b", prefix: "", region: "" },
		},
		nowMs: 6,
	},
	{
		type: "record-scheduled-snapshot",
		succeededAtMs: 5,
		index: 7,
		node: "n1",
		file: "/b/7",
		bytes: 9,
		attemptedAtMs: 5,
		fault: "",
		nowMs: 6,
	},
];

describe("the cluster's own state", () => {
	fuzz(
		"has a result for whatever bytes, and can be saved after",
		400,
		(random) => {
			const state = createControlState();
			for (let index = 1; index <= 20; index += 1) {
				const said = random.pick(controls);
				const bytes = random.chance(0.5)
					? mutatedJson(said, random)
					: Buffer.from(JSON.stringify(said));
				const read = JSON.parse(
					`${Buffer.from(applyControl(state, bytes, index))}`,
				);
				assert.equal(typeof read.ok, "boolean");
				assert.equal(read.ok, read.reason === null);
			}
			expectSafe([
				state.nowMs,
				state.fencingToken,
				state.lock,
				state.writeLevel,
			]);
			const saved = encodeControl(state);
			assert.deepEqual(encodeControl(decodeControl(saved)), saved);
			assert(saved.length < 200_000);
		},
	);

	fuzz("is restored as it was saved, or not at all", 1_500, (random) => {
		const state = createControlState();
		// Without it most would be refused for want of a lock.
		for (const [at, said] of controls.entries())
			if (said.type !== "release-lock" && random.chance(0.7))
				applyControl(state, Buffer.from(JSON.stringify(said)), at + 1);
		const saved = Buffer.from(encodeControl(state));
		const bytes = random.chance(0.5)
			? mutated(saved, random)
			: mutatedJson(JSON.parse(`${saved}`), random);
		const read = outcome(() => decodeControl(bytes), MachineInputError);
		if ("refused" in read) return;
		expectSafe([read.value.nowMs, read.value.fencingToken, read.value.lock]);
		for (const [at, said] of controls.entries())
			applyControl(read.value, Buffer.from(JSON.stringify(said)), at + 100);
	});

	fuzz(
		"reads a session's command and its answer, or refuses them",
		2_000,
		(random) => {
			const acknowledged = u48(random) >>> 1;
			const stamp = {
				id: u48(random),
				sequence: acknowledged + 1,
				acknowledged,
			};
			const sent = mutated(encodeSessionCommand(stamp, some(random)), random);
			const heard = outcome(
				() => decodeSessionCommand(sent),
				MachineInputError,
			);
			if ("value" in heard) {
				expectSafe(heard.value.stamp);
				const { stamp: said, command } = heard.value;
				assert.deepEqual(encodeSessionCommand(said, command), sent);
			}
			const answered = encodeSessionAnswer(
				random.chance(0.5)
					? { kind: "executed", index: u48(random), result: some(random) }
					: { kind: "refused", reason: "session-expired", message: "no" },
				u48(random),
			);
			const changed = mutated(answered, random);
			outcome(() => decodeSessionAnswer(changed), MachineInputError);
		},
	);
});
