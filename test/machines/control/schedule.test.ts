import { describe, expect, it } from "vitest";
import {
	decodeControl,
	encodeControl,
} from "../../../src/machines/control/snapshot.js";
import {
	createControlState,
	type SnapshotSchedule,
} from "../../../src/machines/control.js";
import { MachineInputError } from "../../../src/machines/machine.js";
import { acquire, commanded } from "./commanded.js";

const schedule: SnapshotSchedule = {
	...{ intervalMs: 3_600_000, keep: 24, directory: "/backups" },
	command: ["/usr/bin/sync-away", "--fast"],
	s3: {
		...{ endpoint: "https://s3.example:9000", bucket: "backups" },
		...{ prefix: "shop/", region: "eu" },
	},
};
const last = {
	...{ succeededAtMs: 50, index: 900, node: "n2", file: "/backups/900.snap" },
	...{ bytes: 4096, attemptedAtMs: 50, fault: "" },
};

/** The same, its keys in the other order. */
const backwards = (fields: object) =>
	Object.fromEntries(Object.entries(fields).reverse());

const set = (wish: object | null, fencingToken = 0) => ({
	...{ type: "set-snapshot-schedule", fencingToken, nowMs: 1 },
	schedule: wish,
});
const record = (said: object) => ({
	...{ type: "record-scheduled-snapshot", nowMs: 1 },
	...said,
});

describe("the snapshot schedule", () => {
	it("is set and ended, and keeps of a wish what it knows", () => {
		const state = createControlState();
		expect(commanded(state, 1, set({ ...schedule, more: 1 })).ok).toBe(true);
		expect(state.snapshotSchedule).toEqual(schedule);
		commanded(state, 2, set({ ...schedule, s3: null, command: [] }));
		expect(state.snapshotSchedule).toMatchObject({ s3: null, command: [] });
		commanded(state, 3, set(null));
		expect(state.snapshotSchedule).toBeNull();
	});

	it("is fenced where the log decides: by the holder, or by hand while nobody operates", () => {
		const state = createControlState();
		commanded(state, 4, acquire(1));
		for (const [token, reason] of [
			[0, "held"],
			[3, "lost"],
			[4, null],
		] as const)
			expect(commanded(state, 5, set(schedule, token))).toMatchObject({
				...{ reason, lock: { fencingToken: 4 } },
			});
	});

	it("remembers how it went last, and not what a deposed leader says late", () => {
		const state = createControlState();
		const failed = {
			...{ succeededAtMs: null, index: 0, node: "", file: "", bytes: 0 },
			...{ attemptedAtMs: 9, fault: "the disk is full" },
		};
		commanded(state, 1, record(failed));
		expect(state.scheduledSnapshot).toEqual(failed);
		commanded(state, 2, record(last));
		expect(state.scheduledSnapshot).toEqual(last);
		expect(commanded(state, 3, record({ ...last, index: 800 }))).toEqual({
			...{ ok: false, reason: "older" },
		});
		commanded(state, 4, record({ ...last, attemptedAtMs: 99, fault: "no" }));
		expect(state.scheduledSnapshot).toEqual({
			...{ ...last, attemptedAtMs: 99, fault: "no" },
		});
	});

	it.each([
		["no schedule at all", set(undefined as never)],
		["one that never rests", set({ ...schedule, intervalMs: 999 })],
		["half a copy", set({ ...schedule, keep: 1.5 })],
		["no copies", set({ ...schedule, keep: 0 })],
		["a list for a directory", set({ ...schedule, directory: ["/"] })],
		["a line for a command", set({ ...schedule, command: "sync" })],
		["endless words", set({ ...schedule, command: Array(17).fill("a") })],
		["an endless word", set({ ...schedule, command: ["a".repeat(1025)] })],
		["half a target", set({ ...schedule, s3: { endpoint: "http://h" } })],
		["a target of text", set({ ...schedule, s3: "http://h" })],
		["nothing said of a target", set({ ...schedule, s3: undefined })],
		["a record of no bytes", record({ ...last, bytes: null })],
		["a record of no file", record({ ...last, file: 1 })],
		["a record of a time that is none", record({ ...last, succeededAtMs: "" })],
		["an endless fault", record({ ...last, fault: "a".repeat(1025) })],
	])("takes a command with %s for none", (_what, command) => {
		const state = createControlState();
		expect(commanded(state, 1, command).reason).toBe("malformed");
		expect(state).toEqual(createControlState());
	});
});

describe("operations and the schedule in a snapshot", () => {
	function used() {
		const state = createControlState();
		commanded(state, 4, acquire(1));
		for (const id of ["a", "b"])
			for (const unfinished of id === "a" ? [true, false] : [true])
				commanded(state, 5, {
					...{ type: "write-operation", id, unfinished, record: "{}" },
					...{ fencingToken: 4, nowMs: 7 },
				});
		commanded(state, 6, set(schedule, 4));
		commanded(state, 7, record(last));
		return state;
	}
	const saved = () => JSON.parse(`${Buffer.from(encodeControl(used()))}`);

	it("come back as they were", () => {
		expect(decodeControl(encodeControl(used()))).toEqual(used());
	});

	it("are left out while there are none, as in states that never had them", () => {
		expect(Buffer.from(encodeControl(createControlState())).toString()).toBe(
			'{"nowMs":0,"fencingToken":0,"lock":null,"writeLevel":null,"alarms":[]}',
		);
	});

	it.each([
		["no list of operations", { operations: null }],
		["an empty list of them", { operations: [] }],
		[
			"two that go on",
			{
				operations: [
					saved().operations[0],
					{ ...saved().operations[0], id: "c" },
				],
			},
		],
		[
			"one twice",
			{ operations: [saved().operations[1], saved().operations[1]] },
		],
		[
			"a wish to pause what is over",
			{ operations: [{ ...saved().operations[1], pauseRequested: true }] },
		],
		[
			"one that began at no time",
			{ operations: [{ ...saved().operations[0], beganAtMs: -1 }] },
		],
		[
			"more of one than is known",
			{ operations: [{ ...saved().operations[0], more: 1 }] },
		],
		[
			"too many",
			{
				operations: Array.from({ length: 51 }, (_, at) => ({
					...saved().operations[1],
					id: `${at}`,
				})),
			},
		],
		["a schedule of nothing", { snapshotSchedule: null }],
		[
			"a schedule that holds more",
			{ snapshotSchedule: { ...schedule, more: 1 } },
		],
		["a schedule in another order", { snapshotSchedule: backwards(schedule) }],
		[
			"a last snapshot that holds more",
			{ scheduledSnapshot: { ...last, more: 1 } },
		],
		[
			"an alarm that holds more",
			{
				alarms: [
					{
						kind: "corrupt-data",
						node: "n1",
						index: 1,
						message: "",
						raisedAtMs: 1,
						more: 1,
					},
				],
			},
		],
		["a lock that holds more", { lock: { ...saved().lock, more: 1 } }],
		[
			"a level that holds more",
			{ writeLevel: { level: 1, release: "1", more: 1 } },
		],
	])("are refused with %s", (_what, wrong) => {
		const bytes = Buffer.from(JSON.stringify({ ...saved(), ...wrong }));
		expect(() => decodeControl(bytes)).toThrow(MachineInputError);
	});

	it("stay within what a node sets aside for them", () => {
		const state = createControlState();
		commanded(state, 1, acquire(1));
		const full = '"'.repeat(16 * 1024);
		for (let at = 0; at < 51; at++)
			for (const unfinished of at === 50 ? [true] : [true, false])
				commanded(state, 2, {
					...{ type: "write-operation", id: `o${at}`, unfinished },
					...{ record: full, fencingToken: 1, nowMs: 7 },
				});
		const text = "\u0001".repeat(256);
		for (let at = 0; at < 64; at++)
			commanded(state, 3, {
				...{ type: "raise-alarm", kind: "corrupt-data", node: `${at}` },
				...{ index: 1, message: text.repeat(4), nowMs: 1 },
			});
		commanded(
			state,
			4,
			set(
				{
					...schedule,
					directory: text,
					command: Array(16).fill(text.repeat(4)),
				},
				1,
			),
		);
		expect(state.operations).toHaveLength(51);
		expect(state.alarms.size).toBe(64);
		expect(state.snapshotSchedule).not.toBeNull();
		expect(encodeControl(state).length).toBeLessThan(2.5 * 1024 * 1024);
		expect(decodeControl(encodeControl(state))).toEqual(state);
	});
});
