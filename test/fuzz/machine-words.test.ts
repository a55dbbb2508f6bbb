import assert from "node:assert/strict";
import { describe } from "vitest";
import {
	decodeAnswer,
	decodeCommand,
	decodeEvent,
	decodeQuery,
	decodeResult,
	encodeAnswer,
	encodeCommand,
	encodeEvent,
	encodeQuery,
	encodeResult,
	type KeyValueAnswer,
	type KeyValueCommand,
	type KeyValueQuery,
	type KeyValueResult,
} from "../../src/machines/kv/codec.js";
import { kv } from "../../src/machines/kv/machine.js";
import type { OrderedItems } from "../../src/machines/kv/ordered-items.js";
import { MachineInputError } from "../../src/machines/machine.js";
import type { Random } from "../sim/random.js";
import { allocated } from "./allocation.js";
import { fuzz, outcome } from "./fuzz.js";
import { mutatedJson } from "./json-mutations.js";
import { chunked, garbage, mutated } from "./mutations.js";
import { expectSafe, u48 } from "./numbers.js";

const some = (random: Random) => garbage(random, random.below(30));
const key = (random: Random) =>
	random.chance(0.5)
		? Buffer.from(random.pick(["a", "b", "ä", "ab"]))
		: garbage(random, random.whole(1, 20));

function command(random: Random): KeyValueCommand {
	const op = random.pick(["put", "delete", "cas"] as const);
	const expect = random.chance(0.5) ? null : u48(random);
	const written = { key: key(random), value: some(random) };
	if (op === "delete") return { op, key: written.key };
	return op === "put" ? { op, ...written } : { op, ...written, expect };
}

function query(random: Random): KeyValueQuery {
	if (random.chance(0.5)) return { op: "get", key: key(random) };
	const after = random.chance(0.5) ? null : some(random);
	const limit = random.whole(1, 1000);
	return { op: "list", prefix: some(random), limit, after };
}

function result(random: Random): KeyValueResult {
	return random.pick<KeyValueResult>([
		{ op: "put", version: u48(random) },
		{ op: "delete", deleted: random.chance(0.5) },
		{ op: "cas", swapped: random.chance(0.5), version: u48(random) },
		{ op: "invalid", message: "no ä" },
	]);
}

function answer(random: Random): KeyValueAnswer {
	const item = () => ({
		...{ key: key(random), value: some(random), version: u48(random) },
	});
	return random.pick<KeyValueAnswer>([
		{ op: "get", found: false },
		{ op: "get", found: true, value: some(random), version: u48(random) },
		{ op: "list", items: [item(), item()], more: random.chance(0.5) },
	]);
}

interface Word<Said> {
	readonly draw: (random: Random) => Said;
	readonly encode: (said: Said) => Buffer;
	readonly decode: (bytes: Uint8Array) => Said;
}

function word<Said>(parts: Word<Said>): Word<unknown> {
	return parts as Word<unknown>;
}

const words = {
	command: word({
		draw: command,
		encode: encodeCommand,
		decode: decodeCommand,
	}),
	query: word({ draw: query, encode: encodeQuery, decode: decodeQuery }),
	result: word({ draw: result, encode: encodeResult, decode: decodeResult }),
	answer: word({ draw: answer, encode: encodeAnswer, decode: decodeAnswer }),
};

describe("the key-value machine's words", () => {
	for (const [name, { draw, encode, decode }] of Object.entries(words))
		fuzz(`are refused, or mean their bytes: ${name}`, 2_000, (random) => {
			const sound = encode(draw(random));
			const bytes = mutated(sound, random, encode(draw(random)));
			const { value, bytes: made } = allocated(() =>
				outcome(() => decode(bytes), MachineInputError),
			);
			assert(made <= 64, `${made} bytes for ${bytes.length}`);
			if ("refused" in value) return;
			expectSafe(value.value);
			const { op } = value.value as { op: string };
			// Its sentence may be no UTF-8.
			if (op !== "invalid") assert.deepEqual(encode(value.value), bytes);
		});

	fuzz("of an event are those of a change", 500, (random) => {
		const bytes = mutated(encodeCommand(command(random)), random);
		const read = outcome(() => decodeEvent(bytes), MachineInputError);
		if ("value" in read) assert.deepEqual(encodeEvent(read.value), bytes);
	});

	fuzz("in JSON are refused, or become words", 2_000, (random) => {
		const said = random.pick([
			{ op: "put", key: "a", value: { base64: "AA==" } },
			{ op: "cas", key: "a", value: "b", expect: random.pick([null, 7]) },
			{ op: "delete", key: "a" },
			{ op: "get", key: "ä" },
			{ op: "list", prefix: "a", limit: 5, after: "b" },
		]);
		const parsed = outcome(
			() => JSON.parse(`${mutatedJson(said, random)}`),
			SyntaxError,
		);
		if ("refused" in parsed) return;
		const { json } = kv;
		assert(json !== undefined);
		const made = outcome(
			() => json.command(parsed.value, 1),
			MachineInputError,
		);
		if ("value" in made) decodeCommand(made.value);
		const asked = outcome(() => json.query(parsed.value), MachineInputError);
		if ("value" in asked) decodeQuery(asked.value);
	});
});

describe("the key-value machine", () => {
	const apply = (state: OrderedItems, bytes: Uint8Array, index: number) =>
		kv.apply(state as never, bytes, { index, level: 1, emit: decodeEvent });

	fuzz(
		"has a result for whatever bytes, and can be saved after",
		200,
		(random) => {
			const state = kv.create() as OrderedItems;
			for (let index = 1; index <= 20; index += 1) {
				const bytes = encodeCommand(command(random));
				const given = random.chance(0.5) ? bytes : mutated(bytes, random);
				decodeResult(apply(state, given, index));
				const asked = mutated(encodeQuery(query(random)), random);
				const answered = outcome(
					() => kv.query(state as never, asked),
					MachineInputError,
				);
				if ("value" in answered) decodeAnswer(answered.value);
			}
			const saved = Buffer.concat([...kv.snapshot(state as never, 1)]);
			const again = kv.restore(chunked(saved, random));
			assert.deepEqual(Buffer.concat([...kv.snapshot(again, 1)]), saved);
		},
	);

	fuzz("is restored from a whole snapshot, or not at all", 1_500, (random) => {
		const state = kv.create() as OrderedItems;
		for (let index = 1; index <= random.below(8); index += 1)
			apply(state, encodeCommand(command(random)), index);
		const saved = Buffer.concat([...kv.snapshot(state as never, 1)]);
		const bytes = mutated(saved, random);
		const chunks = chunked(bytes, random);
		const { value, bytes: made } = allocated(() =>
			outcome(() => kv.restore(chunks), MachineInputError),
		);
		// What a state takes to begin with, its first slab, is there beside.
		const limit = 4 * bytes.length + 20 * 1024;
		assert(made <= limit, `${made} for ${bytes.length}`);
		if ("value" in value)
			assert.deepEqual(Buffer.concat([...kv.snapshot(value.value, 1)]), bytes);
	});
});
