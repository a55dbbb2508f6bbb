import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fingerprint } from "../../src/machines/fingerprint.js";
import { MachineInputError } from "../../src/machines/machine.js";
import {
	commandOf,
	decodeSessionAnswer,
	decodeSessionCommand,
	encodeSessionAnswer,
	encodeSessionCommand,
	lastingPart,
	type SessionAnswer,
	SessionTable,
	sessionLimits,
	stampBytes,
} from "../../src/machines/sessions.js";
import {
	SessionRecordReader,
	sessionRecords,
} from "../../src/machines/sessions-snapshot.js";

const bytes = (text: string) => Buffer.from(text);

/** A command of session `id` that gives `result`, at `index`; what it was answered. */
function run(
	table: SessionTable,
	id: number,
	sequence: number,
	options: {
		acknowledged?: number;
		nowMs?: number;
		index?: number;
		result?: Uint8Array;
	} = {},
) {
	const {
		acknowledged = 0,
		nowMs = 0,
		index = 100 + sequence,
		result = bytes(`result ${sequence}`),
	} = options;
	const verdict = table.begin({ id, sequence, acknowledged }, nowMs);
	if (verdict === null) table.keep({ id, sequence }, index, result);
	return verdict;
}

function opened(ttlMs = 1000): SessionTable {
	const table = new SessionTable();
	expect(table.open(7, ttlMs, 0)).toBe(true);
	return table;
}

const recordsOf = (table: SessionTable) =>
	[...sessionRecords(table)].map((record) => Buffer.from(record));

function restored(table: SessionTable): SessionTable {
	const copy = new SessionTable();
	const reader = new SessionRecordReader(copy);
	for (const record of recordsOf(table)) reader.add(record);
	return copy;
}

function printOf(table: SessionTable): string {
	const print = new Fingerprint();
	table.fingerprint(print);
	return Buffer.from(print.encoded()).toString("hex");
}

describe("a session", () => {
	it("has a command executed once, and repeats its first result and index", () => {
		const table = opened();
		expect(run(table, 7, 1, { index: 20 })).toBeNull();
		expect(run(table, 7, 1, { index: 30 })).toEqual({
			kind: "executed",
			index: 20,
			result: new Uint8Array(bytes("result 1")),
		});
	});

	it("takes sequence numbers in any order, and with gaps", () => {
		const table = opened();
		for (const sequence of [5, 2, 9])
			expect(run(table, 7, sequence)).toBeNull();
		expect(run(table, 7, 2)).toMatchObject({ kind: "executed", index: 102 });
	});

	it("refuses what was acknowledged before, and forgets its results", () => {
		const table = opened();
		for (const sequence of [1, 2, 3]) run(table, 7, sequence);
		expect(run(table, 7, 4, { acknowledged: 2 })).toBeNull();
		expect(run(table, 7, 3)).toMatchObject({ kind: "executed" });
		for (const sequence of [1, 2])
			expect(run(table, 7, sequence)).toMatchObject({
				kind: "refused",
				reason: "session-misused",
			});
		expect([...table.all()][0]?.results.size).toBe(2);
	});

	it("never goes back with what is acknowledged, and may leap ahead", () => {
		const table = opened();
		run(table, 7, 1);
		expect(run(table, 7, 2 ** 40 + 1, { acknowledged: 2 ** 40 })).toBeNull();
		expect(run(table, 7, 2 ** 40 + 2, { acknowledged: 1 })).toBeNull();
		expect(run(table, 7, 2 ** 40)).toMatchObject({ reason: "session-misused" });
	});

	it("is refused when it was never opened", () => {
		expect(run(opened(), 8, 1)).toMatchObject({
			kind: "refused",
			reason: "session-expired",
		});
	});

	it("lives for its time since its last command, a repeated or refused one included", () => {
		const table = opened(1000);
		run(table, 7, 1, { nowMs: 0 });
		run(table, 7, 1, { nowMs: 900 });
		table.expire(1899);
		expect(run(table, 7, 0, { nowMs: 1899 })).toMatchObject({
			reason: "session-misused",
		});
		table.expire(2898);
		expect(table.size).toBe(1);
		table.expire(2899);
		expect(run(table, 7, 1)).toMatchObject({ reason: "session-expired" });
		expect(printOf(table)).toBe(printOf(new SessionTable()));
	});

	it("keeps so many results and bytes; beyond, a command is not executed, and a repeated one still answered", () => {
		const table = opened();
		for (let sequence = 1; sequence <= sessionLimits.results; sequence++)
			expect(run(table, 7, sequence)).toBeNull();
		const next = sessionLimits.results + 1;
		expect(run(table, 7, next)).toMatchObject({ reason: "session-misused" });
		expect(run(table, 7, 1)).toMatchObject({ kind: "executed" });
		expect(run(table, 7, next, { acknowledged: 1 })).toBeNull();

		const large = opened();
		const result = new Uint8Array(sessionLimits.resultBytes);
		expect(run(large, 7, 1, { result })).toBeNull();
		expect(run(large, 7, 2)).toMatchObject({ reason: "session-misused" });
		expect(run(large, 7, 2, { acknowledged: 1 })).toBeNull();
	});

	it("is left its share when others keep all that there is", () => {
		const table = new SessionTable();
		const result = new Uint8Array(sessionLimits.resultBytes);
		const greedy = sessionLimits.totalBytes / sessionLimits.resultBytes;
		for (let id = 1; id <= greedy; id++) {
			table.open(id, 1000, 0);
			expect(run(table, id, 1, { result })).toBeNull();
		}
		table.open(1000, 1000, 0);
		const share = new Uint8Array(sessionLimits.shareBytes);
		expect(run(table, 1000, 1, { result: share })).toBeNull();
		expect(run(table, 1000, 2)).toMatchObject({ reason: "session-misused" });
		expect(run(table, 1, 2, { acknowledged: 1, result })).toBeNull();
		for (const id of [1, 2])
			table.begin({ id, sequence: 9, acknowledged: 8 }, 0);
		expect(run(table, 1000, 2)).toBeNull();
	});

	it("holds no part of what the machine gave", () => {
		const table = opened();
		const result = bytes("result");
		run(table, 7, 1, { result });
		result.fill(0);
		expect(run(table, 7, 1)).toMatchObject({
			result: new Uint8Array(bytes("result")),
		});
	});
});

describe("the table of sessions", () => {
	it("takes no more than it may, until one has expired", () => {
		const table = new SessionTable();
		for (let id = 1; id <= sessionLimits.sessions; id++)
			expect(table.open(id, id === 5 ? 10 : 1000, 0)).toBe(true);
		expect(table.open(9999, 1000, 0)).toBe(false);
		table.expire(10);
		expect(table.open(9999, 1000, 10)).toBe(true);
	});

	it("lets the longest silent one give way to another, once that is surely silent", () => {
		const table = new SessionTable();
		const { sessions, sureMs } = sessionLimits;
		const ttlMs = 10 * sureMs;
		for (let id = 1; id <= sessions; id++) table.open(id, ttlMs, 0);
		run(table, 1, 1, { nowMs: 10 });
		run(table, 2, 1, { nowMs: 20 });
		for (let id = 3; id <= sessions; id++) run(table, id, 1, { nowMs: 30 });
		expect(table.open(9999, ttlMs, sureMs + 9)).toBe(false);
		expect(table.open(9999, ttlMs, sureMs + 10)).toBe(true);
		expect(table.size).toBe(sessions);
		expect(run(table, 1, 2)).toMatchObject({
			reason: "session-expired",
		});
		expect(run(table, 2, 2)).toBeNull();
	});

	const step = fc.oneof(
		{
			weight: 6,
			arbitrary: fc.record({
				do: fc.constant("run" as const),
				id: fc.nat({ max: 4 }),
				sequence: fc.integer({ min: 0, max: 12 }),
				acknowledged: fc.integer({ min: 0, max: 11 }),
			}),
		},
		{
			weight: 2,
			arbitrary: fc.record({ do: fc.constant("open" as const) }),
		},
		{
			weight: 1,
			arbitrary: fc.record({
				do: fc.constant("pass" as const),
				ms: fc.nat({ max: 60 }),
			}),
		},
	);
	type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

	/** Sessions are opened under ids that rise, as indexes do; a step picks one that there is, or none. */
	function take(
		tables: readonly SessionTable[],
		steps: readonly Step[],
		firstIndex = 1,
	) {
		let nowMs = 0;
		steps.forEach((each, at) => {
			if (each.do === "pass") nowMs += each.ms;
			const told = tables.map((table) => {
				if (each.do === "pass") return table.expire(nowMs);
				if (each.do === "open") return table.open(firstIndex + at, 100, nowMs);
				const { acknowledged } = each;
				const id = [...table.all()][each.id]?.id ?? 9999;
				return run(table, id, each.sequence, {
					...{ nowMs, index: firstIndex + at },
					acknowledged: Math.min(acknowledged, Math.max(each.sequence - 1, 0)),
				});
			});
			for (const other of told) expect(other).toEqual(told[0]);
		});
	}

	it("is the same after a restore, and goes on the same", () => {
		fc.assert(
			fc.property(
				fc.array(step, { maxLength: 60 }),
				fc.array(step, { maxLength: 60 }),
				(before, after) => {
					const table = new SessionTable();
					take([table], before);
					const copy = restored(table);
					expect(recordsOf(copy)).toEqual(recordsOf(table));
					expect(printOf(copy)).toBe(printOf(table));
					take([table, copy], after, 1000);
					expect(recordsOf(copy)).toEqual(recordsOf(table));
					expect(printOf(copy)).toBe(printOf(table));
				},
			),
		);
	});

	it("shows nothing in a frozen view of what comes after", () => {
		fc.assert(
			fc.property(
				fc.array(step, { maxLength: 60 }),
				fc.array(step, { maxLength: 60 }),
				(before, after) => {
					const table = new SessionTable();
					take([table], before);
					const expected = recordsOf(table);
					const view = table.frozen();
					take([table], after, 1000);
					expect(recordsOf(view)).toEqual(expected);
				},
			),
		);
	});

	it("refuses records that are out of order, cut short or of no kind", () => {
		const table = opened();
		for (const sequence of [1, 2]) run(table, 7, sequence);
		const [session, first, second] = recordsOf(table) as [
			Buffer,
			Buffer,
			Buffer,
		];
		for (const wrong of [
			[first],
			[session, session],
			[session, second, first],
			[session.subarray(0, 10)],
			[Buffer.from([9])],
			[Buffer.alloc(0)],
		]) {
			const reader = new SessionRecordReader(new SessionTable());
			expect(() => {
				for (const record of wrong) reader.add(record);
			}).toThrow(MachineInputError);
		}
	});
});

describe("the bytes of a session's command", () => {
	const stamp = { id: 2 ** 47, sequence: 3, acknowledged: 2 };

	it("hold its stamp and the command", () => {
		const data = encodeSessionCommand(stamp, bytes("command"));
		expect(data.length).toBe(stampBytes + 7);
		expect(decodeSessionCommand(data)).toEqual({
			stamp,
			command: bytes("command"),
		});
		expect(commandOf(data)).toEqual(bytes("command"));
	});

	it("are refused when they are too few, or the numbers make no sense", () => {
		const data = encodeSessionCommand(stamp, new Uint8Array(0));
		for (let length = 0; length < stampBytes; length++) {
			expect(() => decodeSessionCommand(data.subarray(0, length))).toThrow(
				MachineInputError,
			);
			expect(commandOf(data.subarray(0, length))).toHaveLength(0);
		}
		for (const wrong of [
			{ ...stamp, sequence: 2 },
			{ ...stamp, id: 2 ** 48 },
			{ ...stamp, id: -1 },
			{ ...stamp, sequence: 3.5e20 },
		])
			expect(() => encodeSessionCommand(wrong, data)).toThrow(
				MachineInputError,
			);
	});

	it.each<SessionAnswer>([
		{ kind: "executed", index: 17, result: bytes("result") },
		{ kind: "refused", reason: "session-expired", message: "no session 3" },
		{ kind: "refused", reason: "session-misused", message: "" },
	])("carry the answer back: %o", (answer) => {
		expect(decodeSessionAnswer(encodeSessionAnswer(answer, 40))).toEqual(
			answer,
		);
	});

	it("are compared between nodes without the words of a refusal, which releases may change", () => {
		const refused = (
			message: string,
			reason: "session-expired" | "session-misused",
		) =>
			lastingPart(
				encodeSessionAnswer({ kind: "refused", reason, message }, 40),
			);
		expect(refused("one", "session-expired")).toEqual(
			refused("another", "session-expired"),
		);
		expect(refused("one", "session-expired")).not.toEqual(
			refused("one", "session-misused"),
		);
		const executed = encodeSessionAnswer(
			{ kind: "executed", index: 17, result: bytes("result") },
			40,
		);
		expect(lastingPart(executed)).toEqual(executed);
	});

	it("are no answer when they have an unknown code or are cut short", () => {
		expect(() =>
			decodeSessionAnswer(Buffer.from([9, 0, 0, 0, 0, 0, 0])),
		).toThrow(MachineInputError);
		expect(() => decodeSessionAnswer(Buffer.from([0, 0, 0]))).toThrow(
			MachineInputError,
		);
	});
});
