import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rangeOf } from "../../../src/daemon/admin/byte-range.js";

const file = { bytes: 100, etag: '"a"' };
const asked = (range: string, more: object = {}) =>
	rangeOf({ range, ...more }, file);

describe("a range of bytes that is asked for", () => {
	it("is from a byte to another, to the end, or so many before the end", () => {
		expect(asked("bytes=0-0")).toEqual({ start: 0, end: 1 });
		expect(asked("bytes=10-19")).toEqual({ start: 10, end: 20 });
		expect(asked("bytes=10-")).toEqual({ start: 10, end: 100 });
		expect(asked("bytes=99-5000")).toEqual({ start: 99, end: 100 });
		expect(asked("bytes=-7")).toEqual({ start: 93, end: 100 });
		expect(asked("bytes=-700")).toEqual({ start: 0, end: 100 });
	});

	it("cannot begin behind the last byte", () => {
		expect(asked("bytes=100-")).toBe("unsatisfiable");
		expect(asked("bytes=-0")).toBe("unsatisfiable");
	});

	it("is the whole file where it is no range, or several", () => {
		for (const range of ["bytes=", "bytes=-", "bytes=5-2", "lines=1-2"])
			expect(asked(range), range).toBe(null);
		expect(asked("bytes=0-1,4-5")).toBe(null);
		expect(rangeOf({}, file)).toBe(null);
	});

	it("is the whole file where it is to go on with another file", () => {
		expect(asked("bytes=10-", { "if-range": '"a"' })).not.toBe(null);
		expect(asked("bytes=10-", { "if-range": '"b"' })).toBe(null);
		expect(asked("bytes=10-", { "if-range": "a" })).toBe(null);
	});

	it("never lies outside the file, whatever is asked", () => {
		fc.assert(
			fc.property(
				fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,16}-\d{0,16}$/)),
				fc.nat(1000),
				(range, bytes) => {
					const wanted = rangeOf({ range }, { bytes, etag: '"a"' });
					if (wanted === null || wanted === "unsatisfiable") return;
					expect(wanted.start).toBeGreaterThanOrEqual(0);
					expect(wanted.end).toBeGreaterThan(wanted.start);
					expect(wanted.end).toBeLessThanOrEqual(bytes);
				},
			),
		);
	});
});
