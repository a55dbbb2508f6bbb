import assert from "node:assert/strict";
import type { Random } from "../sim/random.js";

export const largest48 = 2 ** 48 - 1;

/** Small, large, or one of the last. */
export function u48(random: Random): number {
	const draws = random.pick([1, 2 ** 8, 2 ** 32, 2 ** 48]);
	return random.chance(0.1) ? largest48 : random.below(draws);
}

/** Every number within, however deep, is exact, whole and not negative (P70). */
export function expectSafe(value: unknown): void {
	if (typeof value === "number") {
		assert(Number.isSafeInteger(value) && value >= 0, `${value} is none`);
		return;
	}
	if (typeof value !== "object" || value === null) return;
	if (ArrayBuffer.isView(value)) return;
	for (const part of Object.values(value)) expectSafe(part);
}
