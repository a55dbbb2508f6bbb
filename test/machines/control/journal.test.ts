import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	decodeControl,
	encodeControl,
} from "../../../src/machines/control/snapshot.js";
import {
	type ControlState,
	createControlState,
	maxFinishedOperations,
	maxRecordBytes,
} from "../../../src/machines/control.js";
import { acquire, commanded, write } from "./commanded.js";

/** A state whose lock is held with the token 1. */
function locked(): ControlState {
	const state = createControlState();
	commanded(state, 1, acquire(100));
	return state;
}

const ids = (state: ControlState) => state.operations.map(({ id }) => id);

describe("the journal", () => {
	it("keeps what the holder of the lock writes, and since when", () => {
		const state = locked();
		const first = commanded(state, 2, write("a", 1, { nowMs: 200 }));
		expect(first).toMatchObject({
			...{ ok: true, reason: null },
			operation: { id: "a", unfinished: true, beganAtMs: 200 },
		});
		const again = write("a", 1, { record: '{"at":2}', nowMs: 300 });
		expect(commanded(state, 3, again).operation).toEqual({
			...{ id: "a", unfinished: true, record: '{"at":2}' },
			...{ pauseRequested: false, beganAtMs: 200, updatedAtMs: 300 },
		});
		expect(state.operations).toHaveLength(1);
	});

	it("believes nobody who does not hold the lock, and names who does", () => {
		const state = locked();
		expect(commanded(state, 2, write("a", 7))).toMatchObject({
			...{ ok: false, reason: "lost", operation: null },
			lock: { holder: "ann", fencingToken: 1 },
		});
		const late = write("a", 1, { nowMs: 70_000 });
		expect(commanded(state, 3, late)).toMatchObject({
			...{ reason: "lost", lock: null },
		});
		expect(commanded(createControlState(), 1, write("a", 0)).reason).toBe(
			"lost",
		);
		expect(state.operations).toEqual([]);
	});

	it("has one unfinished operation at most, and shows it to whoever brings another", () => {
		const state = locked();
		commanded(state, 2, write("a", 1));
		for (const unfinished of [true, false])
			expect(commanded(state, 3, write("b", 1, { unfinished }))).toMatchObject({
				...{ ok: false, reason: "unfinished-operation" },
				operation: { id: "a" },
			});
		commanded(state, 4, write("a", 1, { unfinished: false }));
		expect(commanded(state, 5, write("b", 1)).ok).toBe(true);
		expect(ids(state)).toEqual(["b", "a"]);
	});

	it("never changes what is finished; its last word said twice is no mistake", () => {
		const state = locked();
		commanded(state, 2, write("a", 1));
		const last = write("a", 1, { unfinished: false, record: "done" });
		commanded(state, 3, last);
		const history = state.operations;
		expect(commanded(state, 4, last)).toMatchObject({
			...{ ok: true, operation: { record: "done" } },
		});
		for (const late of [
			write("a", 1),
			write("a", 1, { unfinished: false, record: "aborted" }),
		])
			expect(commanded(state, 5, late)).toMatchObject({
				...{ ok: false, reason: "finished-operation" },
				operation: { record: "done" },
			});
		expect(state.operations).toBe(history);
	});

	it("keeps a wish to pause until the operation ends or is taken up anew", () => {
		const state = locked();
		commanded(state, 2, write("a", 1));
		const pause = { type: "pause-operation", id: "a", nowMs: 1 };
		expect(commanded(state, 3, pause)).toMatchObject({
			...{ ok: true, operation: { pauseRequested: true } },
		});
		expect(commanded(state, 4, pause).ok).toBe(true);
		const wished = (index: number, rest: object) =>
			commanded(state, index, write("a", 1, rest)).operation?.pauseRequested;
		expect(wished(5, {})).toBe(true);
		expect(wished(6, { clearPause: true })).toBe(false);
		commanded(state, 7, pause);
		expect(wished(8, { unfinished: false })).toBe(false);
		expect(commanded(state, 9, pause).reason).toBe("finished-operation");
		expect(commanded(state, 9, { ...pause, id: "z" })).toMatchObject({
			...{ ok: false, reason: "unknown-operation", operation: null },
		});
	});

	it("drops the oldest of many, and never the one that goes on", () => {
		const state = locked();
		for (let at = 0; at < 60; at++) {
			commanded(state, 2, write(`o${at}`, 1));
			expect(state.operations.length).toBeLessThanOrEqual(
				maxFinishedOperations + 1,
			);
			commanded(state, 3, write(`o${at}`, 1, { unfinished: false }));
		}
		expect(ids(state)).toHaveLength(maxFinishedOperations);
		expect(ids(state)[0]).toBe("o59");
		expect(ids(state).at(-1)).toBe("o10");
		commanded(state, 4, write("new", 1));
		expect(ids(state)).toHaveLength(maxFinishedOperations + 1);
		expect(ids(state).at(-1)).toBe("o10");
	});

	it.each([
		["a record that is too long", { record: "a".repeat(maxRecordBytes + 1) }],
		[
			"a record too long in bytes",
			{ record: "ä".repeat(maxRecordBytes / 2 + 1) },
		],
		["a record on two lines", { record: "{\n}" }],
		["a record that is no text", { record: {} }],
		["no name", { id: "" }],
		["an endless name", { id: "a".repeat(257) }],
		["half a token", { fencingToken: 0.5 }],
		["no word on whether it goes on", { unfinished: 1 }],
		["a wish that is neither", { clearPause: "no" }],
	])("takes a command with %s for none", (_what, wrong) => {
		const state = locked();
		const command = { ...write("a", 1), ...wrong };
		expect(commanded(state, 2, command).reason).toBe("malformed");
		expect(state.operations).toEqual([]);
	});

	it("takes the longest record that it allows", () => {
		const state = locked();
		const record = "ä".repeat(maxRecordBytes / 2);
		expect(commanded(state, 2, write("a", 1, { record })).ok).toBe(true);
	});
});

const someCommand = fc.oneof(
	fc.constantFrom(
		acquire(1, 30),
		{ type: "release-lock", fencingToken: 1, nowMs: 1 },
		{ type: "tick", nowMs: 40 },
	),
	fc.record({
		type: fc.constant("write-operation"),
		id: fc.constantFrom("a", "b", "c"),
		fencingToken: fc.nat({ max: 6 }),
		unfinished: fc.boolean(),
		record: fc.constantFrom("one", "two", "ü\ud800\u2028"),
		clearPause: fc.option(fc.boolean(), { nil: undefined }),
		nowMs: fc.nat({ max: 60 }),
	}),
	fc.record({
		type: fc.constant("pause-operation"),
		id: fc.constantFrom("a", "b", "c"),
		nowMs: fc.nat({ max: 60 }),
	}),
);

describe("any sequence of commands to the journal", () => {
	it("leaves at most one unfinished, in front, history as it was, and a state that is restored as it is", () => {
		fc.assert(
			fc.property(fc.array(someCommand, { maxLength: 40 }), (commands) => {
				const state = createControlState();
				for (const [at, command] of commands.entries()) {
					const before = state.operations;
					const held = state.lock?.fencingToken;
					const { ok } = commanded(state, at + 1, command);
					const after = state.operations;
					expect(after.slice(1).every(({ unfinished }) => !unfinished)).toBe(
						true,
					);
					expect(new Set(ids(state)).size).toBe(after.length);
					for (const one of before)
						if (!one.unfinished) expect(after).toContain(one);
					if (ok && command.type === "write-operation")
						expect((command as { fencingToken: number }).fencingToken).toBe(
							held,
						);
					else if (!ok) expect(after).toBe(before);
				}
				const restored = decodeControl(encodeControl(state));
				expect(restored).toEqual(state);
				expect(Buffer.from(encodeControl(restored))).toEqual(
					Buffer.from(encodeControl(state)),
				);
			}),
		);
	});
});
