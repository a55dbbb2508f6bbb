import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	maxUnacknowledged,
	OpenSession,
} from "../../src/client/open-session.js";

describe("an open session", () => {
	it("acknowledges only what is not outstanding, in whatever order answers come", () => {
		const session = new OpenSession(7, 1000);
		const [a, b, c] = [session.begin(), session.begin(), session.begin()];
		expect([a, b, c, session.acknowledged]).toEqual([1, 2, 3, 0]);
		session.end(b);
		expect(session.acknowledged).toBe(0);
		session.end(a);
		expect(session.acknowledged).toBe(2);
		session.end(c);
		expect(session.acknowledged).toBe(3);
		expect(session.isIdle).toBe(true);
		expect(session.begin()).toBe(4);
		expect(session.acknowledged).toBe(3);
	});

	it("never has more results unacknowledged than a session keeps", () => {
		fc.assert(
			fc.property(fc.array(fc.nat(), { maxLength: 3000 }), (choices) => {
				const session = new OpenSession(1, 1000);
				const open: number[] = [];
				for (const choice of choices) {
					if (session.hasRoom && choice % 3 > 0) {
						open.push(session.begin());
						const sequence = open.at(-1) as number;
						expect(session.acknowledged).toBeLessThan(sequence);
						expect(sequence - session.acknowledged).toBeLessThanOrEqual(
							maxUnacknowledged,
						);
					} else if (open.length > 0) {
						const [done] = open.splice(choice % open.length, 1);
						session.end(done as number);
					}
					if (open.length > 0)
						expect(session.acknowledged).toBe(Math.min(...open) - 1);
				}
			}),
		);
	});

	it("has room for exactly as many as it may", () => {
		const session = new OpenSession(1, 1000);
		let begun = 0;
		for (; session.hasRoom; begun++) session.begin();
		expect(begun).toBe(maxUnacknowledged);
		session.end(2);
		expect(session.hasRoom).toBe(false);
		session.end(1);
		expect(session.hasRoom).toBe(true);
	});

	it("does not acknowledge what is sent once more to keep it alive", () => {
		const session = new OpenSession(1, 1000);
		session.end(session.begin());
		session.repeat(1);
		expect(session.acknowledged).toBe(0);
		expect(session.begin()).toBe(2);
		expect(session.acknowledged).toBe(0);
		session.end(1);
		expect(session.acknowledged).toBe(1);
	});
});
