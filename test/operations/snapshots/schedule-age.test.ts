import { describe, expect, it } from "vitest";
import type { StoredOperation } from "../../../src/cluster/engine.js";
import { setAtMs } from "../../../src/operations/snapshots/schedule-age.js";

function stored(
	beganAtMs: number,
	operation: string,
	more: object = {},
): StoredOperation {
	const record = { version: 1, operation, arguments: {}, state: "done" };
	return {
		...{ id: `${beganAtMs}`, unfinished: false, pauseRequested: false },
		...{ beganAtMs, updatedAtMs: beganAtMs },
		record: JSON.stringify({ ...record, ...more }),
	};
}

const set = { arguments: { schedule: { intervalMs: 60_000 } } };
const ended = { arguments: { schedule: null } };

describe("when a schedule was set", () => {
	it("is by the newest record that set one, and did not fail", () => {
		const journal = [
			stored(60, "snapshot schedule", { ...set, state: "failed" }),
			stored(50, "drain"),
			stored(40, "snapshot schedule", { ...set, state: "lapsed" }),
			stored(30, "snapshot schedule", ended),
			stored(20, "snapshot schedule", set),
		];
		expect(setAtMs(journal)).toBe(40);
		expect(setAtMs(journal.slice(3))).toBe(20);
	});

	it("is not known where the journal has no such record, unless it is full: then it was before all of them", () => {
		const journal = Array.from({ length: 50 }, (_, at) =>
			stored(1_000 - at, "drain"),
		);
		expect(setAtMs(journal)).toBe(951);
		expect(setAtMs(journal.slice(1))).toBeNull();
		expect(setAtMs([])).toBeNull();
	});

	it("is not told by a record that cannot be read", () => {
		const one = stored(70, "snapshot schedule", set);
		expect(setAtMs([{ ...one, record: '{"version":99}' }])).toBeNull();
	});
});
