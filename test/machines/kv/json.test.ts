import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	decodeCommand,
	decodeQuery,
	encodeAnswer,
	encodeEvent,
	encodeResult,
} from "../../../src/machines/kv/codec.js";
import { keyValueJson as json } from "../../../src/machines/kv/json.js";
import { MachineInputError } from "../../../src/machines/machine.js";

describe("the key-value machine's JSON", () => {
	it("reads commands and queries as people write them", () => {
		const command = (value: unknown) => decodeCommand(json.command(value, 1));
		const query = (value: unknown) => decodeQuery(json.query(value));
		expect(command({ op: "put", key: "a", value: "é" })).toEqual({
			op: "put",
			key: Buffer.from("a"),
			value: Buffer.from("é"),
		});
		expect(command({ op: "cas", key: "a", expect: null, value: "" })).toEqual({
			op: "cas",
			key: Buffer.from("a"),
			expect: null,
			value: Buffer.alloc(0),
		});
		expect(command({ op: "delete", key: { base64: "/w==" } })).toEqual({
			op: "delete",
			key: Buffer.from([0xff]),
		});
		expect(query({ op: "list" })).toEqual({
			op: "list",
			prefix: Buffer.alloc(0),
			limit: 100,
			after: null,
		});
		expect(
			query({ op: "list", prefix: "p", limit: 7, after: "pa" }),
		).toMatchObject({ limit: 7, after: Buffer.from("pa") });
	});

	it.each([
		{ op: "put", key: "a", value: "é" },
		{ op: "put", key: { base64: "/w==" }, value: "" },
		{ op: "delete", key: "a" },
		{ op: "cas", key: "a", expect: null, value: { base64: "gA==" } },
		{ op: "cas", key: "a", expect: 7, value: "b" },
	])("shows a command as it was written: %j", (command) => {
		expect(json.readCommand?.(json.command(command, 1), 1)).toEqual(command);
	});

	it.each([
		["no object", 7],
		["null", null],
		["a list", []],
		["no op", { key: "a" }],
		["an unknown op", { op: "incr", key: "a" }],
		["a misspelt field", { op: "put", key: "a", value: "b", vlaue: "c" }],
		["no value", { op: "put", key: "a" }],
		["a number as value", { op: "put", key: "a", value: 1 }],
		["an empty key", { op: "put", key: "", value: "" }],
		["half a surrogate pair", { op: "put", key: "\ud800", value: "" }],
		["base64 that is none", { op: "put", key: "a", value: { base64: "?" } }],
		["no expectation", { op: "cas", key: "a", value: "b" }],
		["half a version", { op: "cas", key: "a", value: "b", expect: 1.5 }],
		["a negative version", { op: "cas", key: "a", value: "b", expect: -1 }],
	])("refuses a command with %s", (_, value) => {
		expect(() => json.command(value, 1)).toThrow(MachineInputError);
	});

	it("refuses queries that make no sense", () => {
		for (const value of [
			{},
			{ op: "get" },
			{ op: "get", key: "a", consistency: "stale" },
			{ op: "list", limit: 0 },
			{ op: "list", limit: "ten" },
			{ op: "list", prefix: 1 },
		])
			expect(() => json.query(value)).toThrow(MachineInputError);
	});

	it("shows any bytes without loss", () => {
		fc.assert(
			fc.property(
				fc.oneof(
					fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
					fc
						.string({ minLength: 1, unit: "binary" })
						.map((text) => Buffer.from(text)),
				),
				(bytes) => {
					const shown = json.event(
						encodeEvent({ op: "put", key: bytes, value: bytes }),
					);
					const again = decodeCommand(
						json.command(JSON.parse(JSON.stringify(shown)), 1),
					);
					expect(again).toEqual({ op: "put", key: bytes, value: bytes });
				},
			),
		);
		const shown = (bytes: number[]) =>
			json.event(encodeEvent({ op: "delete", key: Buffer.from(bytes) }));
		expect(shown([0xff])).toEqual({ op: "delete", key: { base64: "/w==" } });
		// The replacement character itself, and a byte order mark, are text like any other.
		expect(shown([0xef, 0xbf, 0xbd])).toEqual({ op: "delete", key: "\ufffd" });
		expect(shown([0xef, 0xbb, 0xbf, 0x61])).toEqual({
			op: "delete",
			key: "\ufeffa",
		});
	});

	it("shows results and answers in the documented shapes", () => {
		expect(json.result(encodeResult({ op: "put", version: 4 }))).toEqual({
			version: 4,
		});
		expect(json.result(encodeResult({ op: "delete", deleted: true }))).toEqual({
			deleted: true,
		});
		expect(
			json.result(encodeResult({ op: "cas", swapped: false, version: 0 })),
		).toEqual({ swapped: false, version: 0 });
		expect(json.result(encodeResult({ op: "invalid", message: "m" }))).toEqual({
			invalid: true,
			message: "m",
		});
		expect(json.answer(encodeAnswer({ op: "get", found: false }))).toEqual({
			found: false,
		});
		const value = Buffer.from("v");
		expect(
			json.answer(encodeAnswer({ op: "get", found: true, value, version: 2 })),
		).toEqual({ found: true, value: "v", version: 2 });
		const items = [{ key: Buffer.from("k"), value, version: 2 }];
		expect(
			json.answer(encodeAnswer({ op: "list", items, more: true })),
		).toEqual({ items: [{ key: "k", value: "v", version: 2 }], more: true });
	});
});
