import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Attempt, Tally } from "../../../src/operations/canary/tally.js";

const began = { beganAtMs: 0, beganAtWallMs: 0, readsBack: true };

function write(number: number, from: number, to: number): Attempt {
	return {
		...{ kind: "write", number, beganAtMs: from, endedAtMs: to },
		...{ fault: null, seen: null },
	};
}

function failedWrite(number: number, from: number, to: number): Attempt {
	return { ...write(number, from, to), fault: "503 no-leader" };
}

function read(floor: number, seen: number | null): Attempt {
	return {
		...{ kind: "read", number: floor, beganAtMs: 10, endedAtMs: 11 },
		...{ fault: null, seen },
	};
}

describe("a canary's tally", () => {
	it("has as its longest stall the longest time between two successful writes, the one that goes on included", () => {
		const gap = fc.record({ ms: fc.nat(5_000), ok: fc.boolean() });
		fc.assert(
			fc.property(fc.array(gap), fc.nat(5_000), (gaps, lastMs) => {
				const tally = new Tally(began);
				let now = 0;
				let since = 0;
				let longest = 0;
				for (const [at, { ms, ok }] of gaps.entries()) {
					const attempt = (ok ? write : failedWrite)(at + 1, now, now + ms);
					now += ms;
					tally.count(attempt);
					if (!ok) continue;
					longest = Math.max(longest, now - since);
					since = now;
				}
				now += lastMs;
				expect(tally.stall(now).ms).toBe(Math.max(longest, now - since));
			}),
		);
	});

	it("counts as no stall what comes after its end", () => {
		const tally = new Tally(began);
		tally.count(write(1, 0, 5));
		tally.close(60);
		expect(tally.stall(9_000).ms).toBe(55);
	});

	it("counts every request once, and what was slow among what went well", () => {
		const tally = new Tally(began);
		tally.count(write(1, 0, 5));
		tally.count(write(2, 50, 1_500));
		tally.count(failedWrite(3, 1_500, 9_000));
		tally.count(read(1, 1));
		const { requests, failed, slow, slowestWriteMs } = tally;
		expect({ requests, failed, slow, slowestWriteMs }).toEqual({
			...{ requests: 4, failed: 1, slow: 1, slowestWriteMs: 1_450 },
		});
	});

	it("says when the first request failed, and keeps only the first failures' texts", () => {
		const tally = new Tally({ ...began, beganAtWallMs: 1_000_000 });
		for (let n = 1; n <= 30; n++)
			tally.count({ ...failedWrite(n, 0, n * 10), fault: "x".repeat(5_000) });
		expect(tally.spent(300, 0).failedSince).toBe("1970-01-01T00:16:40.010Z");
		expect(tally.failures).toHaveLength(5);
		expect(tally.failures[0]?.reason).toHaveLength(160);
		expect(tally.failed).toBe(30);
	});

	describe("knows that a write was lost when a read that began after its acknowledgement shows", () => {
		const acknowledged = () => {
			const tally = new Tally(began);
			for (let n = 1; n <= 5; n++) tally.count(write(n, n, n));
			return tally;
		};

		it.each([[null], [3], [4]])("%j instead of write 5", (seen) => {
			const tally = acknowledged();
			tally.count(read(5, seen));
			expect(tally.lostWrites).toHaveLength(1);
			expect(tally.lostWrites[0]).toContain("write 5 was acknowledged");
		});

		it.each([[5], [6]])("but not when it shows write %i", (seen) => {
			const tally = acknowledged();
			tally.count(read(5, seen));
			expect(tally.lostWrites).toEqual([]);
		});

		it("but not when it shows one that failed, which may be executed late (P58)", () => {
			const tally = acknowledged();
			tally.count(failedWrite(6, 6, 6));
			tally.count(write(7, 7, 7));
			tally.count(read(7, 6));
			expect(tally.lostWrites).toEqual([]);
			tally.count(read(7, 5));
			expect(tally.lostWrites).toHaveLength(1);
		});

		it("but not before anything was acknowledged, nor where answers do not show what was written", () => {
			const early = new Tally(began);
			early.count(read(0, null));
			expect(early.lostWrites).toEqual([]);
			const blind = new Tally({ ...began, readsBack: false });
			blind.count(write(1, 0, 1));
			blind.count(read(1, null));
			expect(blind.lostWrites).toEqual([]);
		});
	});
});
