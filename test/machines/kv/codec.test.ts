import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
	keyEndOfPut,
	keyStartOfPut,
} from "../../../src/machines/kv/codec.js";
import { MachineInputError } from "../../../src/machines/machine.js";

const bytes = fc
	.uint8Array({ maxLength: 300 })
	.map((array) => Buffer.from(array));
const key = fc
	.uint8Array({ minLength: 1, maxLength: 300 })
	.map((array) => Buffer.from(array));
const version = fc.integer({ min: 0, max: 2 ** 48 - 1 });

const put = fc.record({ op: fc.constant("put" as const), key, value: bytes });
const remove = fc.record({ op: fc.constant("delete" as const), key });
const commands = fc.oneof(
	put,
	remove,
	fc.record({
		op: fc.constant("cas" as const),
		key,
		expect: fc.option(version),
		value: bytes,
	}),
);
const queries = fc.oneof(
	fc.record({ op: fc.constant("get" as const), key }),
	fc.record({
		op: fc.constant("list" as const),
		prefix: bytes,
		limit: fc.integer({ min: 1, max: 1000 }),
		after: fc.option(bytes),
	}),
);
const results = fc.oneof(
	fc.record({ op: fc.constant("put" as const), version }),
	fc.record({ op: fc.constant("delete" as const), deleted: fc.boolean() }),
	fc.record({
		op: fc.constant("cas" as const),
		swapped: fc.boolean(),
		version,
	}),
	fc.record({
		op: fc.constant("invalid" as const),
		message: fc.string({ unit: "grapheme" }),
	}),
);
const answers = fc.oneof(
	fc.record({
		op: fc.constant("get" as const),
		found: fc.constant(true as const),
		value: bytes,
		version,
	}),
	fc.constant({ op: "get" as const, found: false as const }),
	fc.record({
		op: fc.constant("list" as const),
		items: fc.array(fc.record({ key: bytes, value: bytes, version }), {
			maxLength: 20,
		}),
		more: fc.boolean(),
	}),
);

const decoders = {
	decodeCommand,
	decodeQuery,
	decodeResult,
	decodeAnswer,
	decodeEvent,
};

describe("the key-value machine's words", () => {
	it("come back from their bytes", () => {
		fc.assert(
			fc.property(commands, (word) => {
				expect(decodeCommand(encodeCommand(word))).toEqual(word);
			}),
		);
		fc.assert(
			fc.property(queries, (word) => {
				expect(decodeQuery(encodeQuery(word))).toEqual(word);
			}),
		);
		fc.assert(
			fc.property(results, (word) => {
				expect(decodeResult(encodeResult(word))).toEqual(word);
			}),
		);
		fc.assert(
			fc.property(answers, (word) => {
				expect(decodeAnswer(encodeAnswer(word))).toEqual(word);
			}),
		);
		fc.assert(
			fc.property(fc.oneof(put, remove), (word) => {
				expect(decodeEvent(encodeEvent(word))).toEqual(word);
			}),
		);
	});

	it("are refused as the caller's mistake when the bytes are garbage or cut short", () => {
		const tried = (decode: (bytes: Uint8Array) => unknown, raw: Uint8Array) => {
			try {
				decode(raw);
				return "read";
			} catch (error) {
				return error instanceof MachineInputError ? "refused" : error;
			}
		};
		const codes = fc.oneof(
			fc.uint8Array({ maxLength: 40 }),
			fc
				.tuple(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 40 }))
				.map(([code, rest]) => Uint8Array.from([code, ...rest])),
			fc
				.tuple(commands.map(encodeCommand), fc.nat())
				.map(([whole, cut]) => whole.subarray(0, cut % whole.length)),
			fc
				.tuple(answers.map(encodeAnswer), fc.nat())
				.map(([whole, cut]) => whole.subarray(0, cut % whole.length)),
		);
		fc.assert(
			fc.property(codes, (raw) => {
				for (const decode of Object.values(decoders))
					expect(["read", "refused"]).toContain(tried(decode, raw));
			}),
			{ numRuns: 500 },
		);
		for (const decode of Object.values(decoders))
			expect(tried(decode, new Uint8Array())).toBe("refused");
	});

	it("have one spelling in bytes: whatever is read is written the same", () => {
		const raw = fc
			.tuple(fc.integer({ min: 1, max: 3 }), fc.uint8Array({ maxLength: 30 }))
			.map(([code, rest]) => Buffer.from([code, ...rest]));
		fc.assert(
			fc.property(raw, (bytes) => {
				const spelled = (read: () => Buffer) => {
					try {
						return read();
					} catch {
						return bytes;
					}
				};
				expect(spelled(() => encodeCommand(decodeCommand(bytes)))).toEqual(
					bytes,
				);
				expect(spelled(() => encodeQuery(decodeQuery(bytes)))).toEqual(bytes);
				expect(spelled(() => encodeAnswer(decodeAnswer(bytes)))).toEqual(bytes);
			}),
			{ numRuns: 2000 },
		);
	});

	it("say where the key of a put lies, of every put and of nothing else", () => {
		const putOf = (command: Buffer) => {
			const end = keyEndOfPut(command);
			return end === 0
				? null
				: {
						...{ op: "put", key: command.subarray(keyStartOfPut, end) },
						value: command.subarray(end),
					};
		};
		const decoded = (command: Buffer) => {
			try {
				const read = decodeCommand(command);
				return read.op === "put" ? read : null;
			} catch {
				return null;
			}
		};
		fc.assert(
			fc.property(
				commands.map((command) => encodeCommand(command)),
				fc.nat(310),
				fc.nat(3),
				(whole, length, code) => {
					const cut = Buffer.from(whole.subarray(0, length));
					for (const command of [whole, cut]) {
						expect(putOf(command)).toEqual(decoded(command));
						if (command.length > 0) command[0] = code;
						expect(putOf(command)).toEqual(decoded(command));
					}
				},
			),
		);
		const empty = Buffer.from([1, 0, 0, 7]);
		expect(putOf(empty)).toBeNull();
		expect(decoded(empty)).toBeNull();
	});

	it("refuses an empty key, an endless key and a limit out of bounds", () => {
		const text = "k".repeat(65_536);
		expect(() => encodeCommand({ op: "delete", key: "" })).toThrow(
			MachineInputError,
		);
		expect(() => encodeCommand({ op: "delete", key: text })).toThrow(
			MachineInputError,
		);
		for (const limit of [0, 1001, 1.5, Number.NaN]) {
			const query = { op: "list", prefix: "", limit, after: null } as const;
			expect(() => encodeQuery(query)).toThrow(MachineInputError);
		}
	});

	it("has the layout that the document gives", () => {
		const hex = (raw: Buffer) => raw.toString("hex");
		expect(hex(encodeCommand({ op: "put", key: "ab", value: "c" }))).toBe(
			"01020061" + "6263",
		);
		expect(
			hex(encodeCommand({ op: "cas", key: "a", expect: 258, value: "c" })),
		).toBe("0301020100000000" + "01006163");
		expect(
			hex(encodeQuery({ op: "list", prefix: "p", limit: 10, after: null })),
		).toBe("020a000000" + "010070" + "000000");
		expect(hex(encodeResult({ op: "put", version: 2 ** 32 }))).toBe(
			"01000000000100",
		);
	});
});
