import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	decodeAnswer,
	decodeEvent,
	decodeResult,
	encodeCommand,
	encodeQuery,
	type KeyValueCommand,
	type KeyValueQuery,
} from "../../../src/machines/kv/codec.js";
import { createKeyValueMachine, kv } from "../../../src/machines/kv/machine.js";
import type { OrderedItems } from "../../../src/machines/kv/ordered-items.js";
import { MachineInputError } from "../../../src/machines/machine.js";

type TextCommand = KeyValueCommand<string>;

function run(
	state: OrderedItems,
	index: number,
	command: TextCommand | Uint8Array,
) {
	const bytes =
		command instanceof Uint8Array ? command : encodeCommand(command);
	const events: object[] = [];
	const result = kv.apply(state, bytes, {
		index,
		level: 1,
		emit: (event) => {
			const told = decodeEvent(event);
			events.push(
				told.op === "put"
					? { op: "put", key: `${told.key}`, value: `${told.value}` }
					: { op: "delete", key: `${told.key}` },
			);
		},
	});
	return { ...decodeResult(result), events };
}

function ask(state: OrderedItems, query: KeyValueQuery<string>) {
	const answer = decodeAnswer(kv.query(state, encodeQuery(query)));
	if (answer.op === "list") {
		const items = answer.items.map(
			({ key, value, version }) => `${key}=${value}@${version}`,
		);
		return { items, more: answer.more };
	}
	return answer.found ? `${answer.value}@${answer.version}` : null;
}

const digest = (state: OrderedItems) =>
	Buffer.concat([...kv.snapshot(state, 1)]).toString("hex");

const key = fc
	.string({
		minLength: 1,
		maxLength: 3,
		unit: fc.constantFrom("a", "b", "é", "𝄞"),
	})
	.filter((text) => text !== "");
const value = fc.string({ maxLength: 10 });
const command: fc.Arbitrary<TextCommand> = fc.oneof(
	fc.record({ op: fc.constant("put" as const), key, value }),
	fc.record({ op: fc.constant("delete" as const), key }),
	fc.record({
		op: fc.constant("cas" as const),
		key,
		value,
		expect: fc.option(fc.nat({ max: 40 })),
	}),
);

describe("the key-value machine", () => {
	it("gives a key the index of its last change as version", () => {
		const state = kv.create();
		expect(run(state, 3, { op: "put", key: "a", value: "1" })).toEqual({
			op: "put",
			version: 3,
			events: [{ op: "put", key: "a", value: "1" }],
		});
		run(state, 9, { op: "put", key: "a", value: "2" });
		expect(ask(state, { op: "get", key: "a" })).toBe("2@9");
		expect(ask(state, { op: "get", key: "b" })).toBeNull();
	});

	it("swaps only what has the expected version, and says what the version is", () => {
		const state = kv.create();
		const swap = (index: number, expected: number | null) =>
			run(state, index, {
				op: "cas",
				key: "a",
				expect: expected,
				value: `${index}`,
			});
		expect(swap(1, 5)).toMatchObject({
			swapped: false,
			version: 0,
			events: [],
		});
		expect(swap(2, null)).toMatchObject({
			swapped: true,
			version: 2,
			events: [{ op: "put", key: "a", value: "2" }],
		});
		expect(swap(3, null)).toMatchObject({ swapped: false, version: 2 });
		expect(swap(4, 2)).toMatchObject({ swapped: true, version: 4 });
		expect(swap(5, 2)).toMatchObject({ swapped: false, version: 4 });
		expect(ask(state, { op: "get", key: "a" })).toBe("4@4");
		run(state, 6, { op: "delete", key: "a" });
		expect(swap(7, 0)).toMatchObject({ swapped: true, version: 7 });
	});

	it("tells of a delete only when there was something to delete", () => {
		const state = kv.create();
		run(state, 1, { op: "put", key: "a", value: "1" });
		expect(run(state, 2, { op: "delete", key: "a" })).toEqual({
			op: "delete",
			deleted: true,
			events: [{ op: "delete", key: "a" }],
		});
		expect(run(state, 3, { op: "delete", key: "a" })).toEqual({
			op: "delete",
			deleted: false,
			events: [],
		});
	});

	it("answers a malformed command with a result and no change", () => {
		const state = kv.create();
		const before = digest(state);
		expect(run(state, 1, Buffer.from("garbage"))).toMatchObject({
			op: "invalid",
			events: [],
		});
		expect(run(state, 2, new Uint8Array())).toMatchObject({ op: "invalid" });
		expect(digest(state)).toBe(before);
	});

	it("lists by prefix in the order of bytes, page by page", () => {
		const state = kv.create();
		["b1", "a2", "a", "a10", "a1", "\u{10000}", "\uffff"].forEach(
			(name, at) => {
				run(state, at + 1, { op: "put", key: name, value: "v" });
			},
		);
		const page = (after: string | null, limit = 2) =>
			ask(state, { op: "list", prefix: "a", limit, after });
		expect(page(null)).toEqual({ items: ["a=v@3", "a1=v@5"], more: true });
		expect(page("a1")).toEqual({ items: ["a10=v@4", "a2=v@2"], more: false });
		expect(page("a2")).toEqual({ items: [], more: false });
		expect(page("0", 10)).toMatchObject({ more: false });
		expect(page("zzz", 10)).toEqual({ items: [], more: false });
		// U+10000 comes after U+FFFF in UTF-8, although its first UTF-16 unit is smaller.
		expect(
			ask(state, { op: "list", prefix: "", limit: 1000, after: "b1" }),
		).toEqual({ items: ["\uffff=v@7", "\u{10000}=v@6"], more: false });
	});

	it("ends a list early rather than answer with more than about a megabyte", () => {
		const state = kv.create();
		const value = "x".repeat(700 * 1024);
		for (const [at, name] of ["a", "b", "c"].entries())
			run(state, at + 1, { op: "put", key: name, value });
		const first = decodeAnswer(
			kv.query(
				state,
				encodeQuery({ op: "list", prefix: "", limit: 10, after: null }),
			),
		);
		expect(first).toMatchObject({ more: true });
		expect(first).toHaveProperty("items.length", 1);
	});

	it("keeps copies: what is done to the command's bytes afterwards does not show", () => {
		const state = kv.create();
		const bytes = encodeCommand({ op: "put", key: "key", value: "value" });
		run(state, 1, bytes);
		bytes.fill(0);
		expect(ask(state, { op: "get", key: "key" })).toBe("value@1");
	});

	it("keeps any bytes exactly, below, at and above the size at which they are kept otherwise", () => {
		const state = kv.create();
		for (const length of [0, 1, 511, 512, 513, 70_000]) {
			const bytes = Buffer.from(
				Array.from({ length }, (_, at) => (at * 31 + length) % 256),
			);
			const key = length === 0 ? Buffer.from("k") : bytes.subarray(-3);
			const command = encodeCommand({ op: "put", key, value: bytes });
			kv.apply(state, command, { index: 1, level: 1, emit: () => {} });
			command.fill(0);
			for (const each of [state, kv.restore(kv.snapshot(state, 1))])
				expect(
					decodeAnswer(kv.query(each, encodeQuery({ op: "get", key }))),
				).toEqual({ op: "get", found: true, value: bytes, version: 1 });
		}
	});

	it("refuses beforehand what is malformed or over a limit", () => {
		const machine = createKeyValueMachine({ maxKeyBytes: 4, maxValueBytes: 5 });
		const verdict = (command: TextCommand) =>
			machine.validate?.(encodeCommand(command), machine.create());
		expect(verdict({ op: "put", key: "four", value: "fives" })).toBeNull();
		expect(verdict({ op: "put", key: "fives", value: "" })).toContain("limit");
		expect(verdict({ op: "put", key: "k", value: "sixsix" })).toContain(
			"limit",
		);
		expect(
			verdict({ op: "cas", key: "k", expect: null, value: "sixsix" }),
		).toContain("limit");
		expect(
			machine.validate?.(Buffer.from([99]), machine.create()),
		).not.toBeNull();
	});

	it("comes back from its snapshot, however the chunks are cut", () => {
		fc.assert(
			fc.property(
				fc.array(command, { maxLength: 60 }),
				fc.integer({ min: 1, max: 50 }),
				(commands, size) => {
					const state = kv.create();
					commands.forEach((each, at) => {
						run(state, at + 1, each);
					});
					const whole = Buffer.concat([...kv.snapshot(state, 1)]);
					const cut = Array.from(
						{ length: Math.ceil(whole.length / size) },
						(_, at) => whole.subarray(at * size, (at + 1) * size),
					);
					const restored = kv.restore(cut);
					expect(digest(restored)).toBe(digest(state));
					const next: TextCommand = { op: "put", key: "a", value: "z" };
					expect(run(restored, 99, next)).toEqual(run(state, 99, next));
					expect(digest(restored)).toBe(digest(state));
				},
			),
		);
	});

	it("has the same snapshot for the same state, whatever the order it came about in", () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(key, { minLength: 1, maxLength: 30 }),
				fc.func(fc.nat()),
				(keys, rank) => {
					const puts = keys.map((name, at) => ({ name, index: at + 1 }));
					const state = kv.create();
					const shuffled = kv.create();
					for (const { name, index } of puts)
						run(state, index, { op: "put", key: name, value: name });
					for (const { name, index } of puts.toSorted(
						(one, other) => rank(one.name) - rank(other.name),
					))
						run(shuffled, index, { op: "put", key: name, value: name });
					expect(digest(shuffled)).toBe(digest(state));
				},
			),
		);
	});

	it("shows nothing of later commands in a snapshot that was begun before", () => {
		fc.assert(
			fc.property(
				fc.array(command, { maxLength: 40 }),
				fc.array(command, { maxLength: 40 }),
				(before, after) => {
					const state = kv.create();
					before.forEach((each, at) => {
						run(state, at + 1, each);
					});
					const expected = digest(state);
					const begun = kv.snapshot(state, 1);
					const also = kv.snapshot(state, 1);
					after.forEach((each, at) => {
						run(state, 100 + at, each);
					});
					expect(Buffer.concat([...begun]).toString("hex")).toBe(expected);
					expect(Buffer.concat([...also]).toString("hex")).toBe(expected);
				},
			),
		);
	});

	it("refuses a snapshot that is damaged, cut short or longer than it says", () => {
		const state = kv.create();
		for (let index = 1; index <= 5; index += 1)
			run(state, index, { op: "put", key: `k${index}`, value: "v" });
		const whole = Buffer.concat([...kv.snapshot(state, 1)]);
		for (let length = 0; length < whole.length; length += 1)
			expect(() => kv.restore([whole.subarray(0, length)])).toThrow(
				MachineInputError,
			);
		expect(() => kv.restore([whole, Buffer.from([0])])).toThrow(
			MachineInputError,
		);
		expect(() => kv.restore([Buffer.from("something else entirely")])).toThrow(
			MachineInputError,
		);
		expect(digest(kv.restore([whole, Buffer.alloc(0)]))).toBe(digest(state));
	});

	it("has equal digests for equal states, whatever led to them, and others for others", () => {
		const digestOf = (state: OrderedItems) =>
			Buffer.from(kv.digest?.(state) ?? []).toString("hex");
		fc.assert(
			fc.property(
				fc.array(command, { maxLength: 60 }),
				fc.array(command, { maxLength: 20 }),
				(commands, more) => {
					const state = kv.create();
					commands.forEach((each, at) => {
						run(state, at + 1, each);
					});
					const restored = kv.restore(kv.snapshot(state, 1));
					expect(digestOf(restored)).toBe(digestOf(state));
					const frozen = state.frozen();
					const before = [digest(state), digestOf(state)];
					more.forEach((each, at) => {
						run(state, 100 + at, each);
					});
					const after = [digest(state), digestOf(state)];
					expect(after[0] === before[0]).toBe(after[1] === before[1]);
					expect([digest(frozen), digestOf(frozen)]).toEqual(before);
				},
			),
		);
		expect(digestOf(kv.create())).toBe("00".repeat(14));
	});

	it.each([
		["a key", { op: "put", key: "b", value: "1" }, 1],
		["a value", { op: "put", key: "a", value: "2" }, 1],
		["a longer value", { op: "put", key: "a", value: "1\0" }, 1],
		["a version", { op: "put", key: "a", value: "1" }, 2],
	] as const)("has another digest for %s that differs", (_, other, index) => {
		const [one, two] = [kv.create(), kv.create()];
		run(one, 1, { op: "put", key: "a", value: "1" });
		run(two, index, other);
		expect(kv.digest?.(one)).not.toEqual(kv.digest?.(two));
	});

	it("cuts its snapshot into chunks of at most 64 KiB, but for an item that is larger", () => {
		const state = kv.create();
		const sizes = [0, 1, 30, 500, 513, 65_500, 65_523, 65_536, 200_000, 40_000];
		sizes.forEach((size, at) => {
			run(state, at + 1, {
				op: "put",
				key: `${at}`.repeat(at * 20 + 1),
				value: "v".repeat(size),
			});
		});
		const chunks = [...kv.snapshot(state, 1)];
		// A mark, a version and two lengths.
		const items = sizes.map((size, at) => 13 + at * 20 + 1 + size);
		for (const { length } of chunks)
			expect(length <= 65_536 || items.includes(length)).toBe(true);
		expect(digest(kv.restore(chunks))).toBe(digest(state));
	});

	it("is restored from pieces whose bytes are used again, and takes nothing behind the end", () => {
		const state = kv.create();
		for (let at = 0; at < 300; at++)
			run(state, at + 1, {
				op: "put",
				key: `k${at}`,
				value: "v".repeat((at * 37) % 2000),
			});
		const whole = Buffer.concat([...kv.snapshot(state, 1)]);
		for (const size of [1, 13, 999, 70_000, whole.length]) {
			const restorer = kv.restorer?.();
			for (let at = 0; at < whole.length; at += size) {
				const piece = Buffer.from(whole.subarray(at, at + size));
				restorer?.write(piece);
				piece.fill(0xee);
			}
			expect(() => restorer?.write(Buffer.from([0]))).toThrow(
				MachineInputError,
			);
			const restored = restorer?.finish() as OrderedItems;
			expect(digest(restored)).toBe(digest(state));
			expect(kv.digest?.(restored)).toEqual(kv.digest?.(state));
		}
	});
});
