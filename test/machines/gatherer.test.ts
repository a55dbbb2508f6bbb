import fc from "fast-check";
import { expect, it } from "vitest";
import { Gatherer } from "../../src/machines/gatherer.js";

it("gives back every byte in order, however it is cut, and keeps nothing of what it was given", () => {
	fc.assert(
		fc.property(
			fc.uint8Array({ maxLength: 300 }),
			fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
			fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
			(bytes, cuts, takes) => {
				const gatherer = new Gatherer();
				const read: number[] = [];
				let turn = 0;
				const next = () => takes[turn % takes.length] as number;
				gatherer.keep(new Uint8Array(0), next());
				for (let at = 0, cut = 0; at < bytes.length; cut++) {
					const size = cuts[cut % cuts.length] as number;
					const piece = Buffer.from(bytes.subarray(at, at + size));
					at += size;
					const joined = gatherer.add(piece);
					if (joined !== null) {
						let used = 0;
						while (joined.length - used >= next()) {
							read.push(...joined.subarray(used, used + next()));
							used += next();
							turn++;
						}
						gatherer.keep(joined.subarray(used), next());
					}
					piece.fill(0xee);
				}
				const whole = read.length + gatherer.waiting;
				expect(whole).toBe(bytes.length);
				expect(read).toEqual([...bytes.subarray(0, read.length)]);
				expect(gatherer.waiting).toBeLessThan(next());
			},
		),
	);
});
