import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameError } from "../../src/wire/frame-splitter.js";
import {
	decodeGreeting,
	decodeHello,
	encodeHello,
	encodeRefused,
	encodeWelcome,
	refusalCauses,
} from "../../src/wire/peer-handshake.js";

const name = fc
	.string({ unit: "grapheme", minLength: 1, maxLength: 40 })
	.filter((text) => Buffer.from(text).length <= 255);

const hello = fc.record({
	oldestVersion: fc.constant(1),
	newestVersion: fc.constant(1),
	clusterId: name,
	from: name,
	incarnation: name,
	to: name,
	levels: fc.record({
		readsFrom: fc.nat(255),
		readsTo: fc.nat(255),
		writes: fc.nat(255),
	}),
	purpose: fc.constantFrom("messages" as const, "snapshot" as const),
});

/** Without the length, which the splitter takes off. */
const body = (frame: Buffer) => frame.subarray(4);

describe("the handshake between peers", () => {
	it("says who wants whom", () => {
		fc.assert(
			fc.property(hello, (said) => {
				const frame = encodeHello(said);
				expect(frame.readUInt32LE(0)).toBe(frame.length - 4);
				expect(decodeHello(body(frame))).toEqual({ type: "hello", ...said });
			}),
		);
	});

	it("answers with a welcome, or with a refusal and its sentence", () => {
		fc.assert(
			fc.property(
				name,
				name,
				fc.constantFrom(...refusalCauses),
				(nodeId, incarnation, cause) => {
					const welcome = { version: 1, nodeId, incarnation };
					expect(decodeGreeting(body(encodeWelcome(welcome)))).toEqual({
						type: "welcome",
						...welcome,
					});
					const refused = { cause, sentence: "this is another cluster" };
					expect(decodeGreeting(body(encodeRefused(refused)))).toEqual({
						type: "refused",
						...refused,
					});
				},
			),
		);
	});

	it("lets a later release say more, and this one nothing that it does not know", () => {
		const said = {
			...{ clusterId: "c", from: "n1", incarnation: "i", to: "n2" },
			levels: { readsFrom: 1, readsTo: 2, writes: 2 },
			purpose: "messages" as const,
		};
		const later = encodeHello({ oldestVersion: 1, newestVersion: 7, ...said });
		const now = encodeHello({ oldestVersion: 1, newestVersion: 1, ...said });
		const more = Buffer.from("more");
		expect(decodeHello(Buffer.concat([body(later), more]))).toMatchObject(said);
		expect(() => decodeHello(Buffer.concat([body(now), more]))).toThrow(
			FrameError,
		);
	});

	it("does not take bytes for a name that are no text", () => {
		const welcome = { version: 1, nodeId: "n1", incarnation: "xx" };
		const bytes = body(encodeWelcome(welcome));
		bytes[bytes.length - 1] = 0xff;
		expect(() => decodeGreeting(bytes)).toThrow("is no text");
	});

	it("takes cut and random words for what they are", () => {
		fc.assert(
			fc.property(hello, fc.nat(), (said, cut) => {
				const whole = body(encodeHello(said));
				const short = whole.subarray(0, cut % whole.length);
				expect(() => decodeHello(short)).toThrow(FrameError);
			}),
		);
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
				expect(() => decodeHello(Buffer.from(bytes))).toThrow(FrameError);
			}),
		);
		expect(() => decodeHello(Buffer.from("GET / HTTP/1.1\r\n"))).toThrow(
			"not those of a raftd peer",
		);
	});
});
