import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fingerprint } from "../../src/machines/fingerprint.js";

const of = (bytes: Uint8Array) =>
	Buffer.from(new Fingerprint().bytes(bytes).end().encoded()).toString("hex");

/** Shorter ones are read in a loop, longer ones count by their CRC. */
const sizes = fc.oneof(fc.nat(70), fc.integer({ min: 500, max: 530 }));
const someBytes = sizes.chain((length) =>
	fc.uint8Array({ minLength: length, maxLength: length }),
);

function counted(length: number): Buffer {
	return Buffer.from(Array.from({ length }, (_, at) => at * 7));
}

describe("a fingerprint", () => {
	it("is the same for ever: nodes of different releases compare theirs", () => {
		expect(of(Buffer.from(""))).toBe("36a8ad2ad744baff");
		expect(of(Buffer.from("raft"))).toBe("13a6f3b732880bee");
		expect(of(Buffer.from([0xff, 0, 1, 0x80, 7]))).toBe("b5aeeca4cb4f7a85");
		expect(of(counted(511))).toBe("fe4653d4dfb7ca37");
		expect(of(counted(512))).toBe("78569f8ef1a44e9f");
		expect(of(counted(70_000))).toBe("9aa94820e801b214");
	});

	it("is the same for bytes as for their byte string", () => {
		fc.assert(
			fc.property(someBytes, (bytes) => {
				const text = Buffer.from(bytes).toString("latin1");
				const print = new Fingerprint().text(text).end();
				expect(Buffer.from(print.encoded()).toString("hex")).toBe(of(bytes));
			}),
		);
	});

	it("is the same for a part of some bytes as for these alone", () => {
		fc.assert(
			fc.property(someBytes, fc.nat(530), fc.nat(530), (bytes, one, other) => {
				const start = Math.min(one, other, bytes.length);
				const end = Math.min(Math.max(one, other), bytes.length);
				const print = new Fingerprint().bytes(bytes, start, end).end();
				expect(Buffer.from(print.encoded()).toString("hex")).toBe(
					of(bytes.subarray(start, end)),
				);
			}),
		);
	});

	it.each([37, 600])(
		"changes in both halves with every bit of %i bytes, and with every byte that is added",
		(length) => {
			const bytes = counted(length);
			const seen = new Set<string>();
			const halves = [new Set<string>(), new Set<string>()] as const;
			const note = (hex: string) => {
				seen.add(hex);
				halves[0].add(hex.slice(0, 8));
				halves[1].add(hex.slice(8));
			};
			note(of(bytes));
			for (let bit = 0; bit < bytes.length * 8; bit++) {
				const other = Buffer.from(bytes);
				other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
				note(of(other));
			}
			for (let zeros = 1; zeros < 9; zeros++)
				note(of(Buffer.concat([bytes, Buffer.alloc(zeros)])));
			const count = bytes.length * 8 + 9;
			expect([seen.size, halves[0].size, halves[1].size]).toEqual([
				count,
				count,
				count,
			]);
		},
	);

	it("tells numbers apart that differ beyond 32 bits", () => {
		const prints = [1, 2 ** 32 + 1, 2 ** 40 + 1, 2 ** 53 - 1, 2 ** 32 - 1].map(
			(number) =>
				Buffer.from(new Fingerprint().number(number).end().encoded()).toString(
					"hex",
				),
		);
		expect(new Set(prints).size).toBe(prints.length);
	});
});
