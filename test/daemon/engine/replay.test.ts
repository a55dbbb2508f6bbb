import { describe, expect, it } from "vitest";
import {
	type Alignment,
	alignmentOf,
	misaligned,
	resetLog,
	restore,
} from "../../../src/daemon/engine/replay.js";
import { ReplicatedState } from "../../../src/daemon/engine/replicated-state.js";
import { addressesOf } from "../../../src/daemon/engine/start.js";
import { encodeCommand } from "../../../src/machines/kv/codec.js";
import { kv } from "../../../src/machines/kv/machine.js";
import {
	type Entry,
	EntryKind,
	type SnapshotPoint,
	type TermRange,
} from "../../../src/raft/types.js";
import type {
	LogStorage,
	RecoveredLog,
	WriteBatch,
} from "../../../src/storage/log-storage.js";

const configuration = {
	index: 1,
	configuration: { voters: ["n1"], outgoing: [], learners: [], addresses: {} },
};

function found(
	firstIndex: number,
	lastIndex: number,
	commit: number,
	terms: readonly TermRange[],
): RecoveredLog {
	return {
		hardState: { term: 9, votedFor: "n2", commit },
		...{ firstIndex, lastIndex, terms, configurations: [] },
		...{ resetTerm: 0, repaired: null },
	};
}

const at = (index: number, term: number): SnapshotPoint => ({
	...{ index, term, configuration },
});
const one = [{ term: 1, first: 1 }];
const two = [
	{ term: 1, first: 1 },
	{ term: 4, first: 6 },
];

describe("a log and the snapshot beside it (P17, P45)", () => {
	it.each<[string, RecoveredLog, SnapshotPoint | null, Alignment]>([
		["a whole log alone", found(1, 9, 5, one), null, "fits"],
		["an empty log alone", found(1, 0, 0, []), null, "fits"],
		["a compacted log alone", found(4, 9, 5, one), null, "damaged"],
		["a log that was reset, alone", found(8, 7, 7, []), null, "damaged"],
		["a log from before it on", found(1, 9, 5, two), at(7, 4), "fits"],
		["a log that begins behind it", found(6, 9, 5, two), at(5, 1), "fits"],
		["a log that ends with it", found(1, 7, 5, two), at(7, 4), "fits"],
		["a log that was reset to it", found(8, 7, 7, []), at(7, 4), "fits"],
		["a gap between them", found(7, 9, 5, two), at(5, 1), "damaged"],
		["a log that ends before it", found(1, 6, 5, two), at(7, 4), "reset"],
		["an empty log", found(1, 0, 0, []), at(7, 4), "reset"],
		[
			"another entry in its place, not known to be committed",
			...([found(1, 9, 6, two), at(7, 5), "reset"] as const),
		],
		[
			"another entry in its place, known to be committed",
			...([found(1, 9, 7, two), at(7, 5), "damaged"] as const),
		],
	])("%s", (_, recovered, snapshot, alignment) => {
		expect(alignmentOf(recovered, snapshot)).toBe(alignment);
	});

	it("a reset keeps the vote of its term only, and never lowers the term", () => {
		const written: WriteBatch[] = [];
		const log = {
			append: (batch: WriteBatch) => void written.push(batch),
		} as LogStorage;
		const same = resetLog(log, found(1, 6, 5, two), at(7, 9));
		expect(same.hardState).toEqual({ term: 9, votedFor: "n2", commit: 7 });
		expect(same).toMatchObject({ firstIndex: 8, lastIndex: 7, resetTerm: 9 });
		const later = resetLog(log, found(1, 6, 5, two), at(7, 12));
		expect(later.hardState).toEqual({ term: 12, votedFor: null, commit: 7 });
		expect(written.map(({ reset, sync }) => ({ reset, sync }))).toEqual([
			{ reset: { index: 7, term: 9 }, sync: true },
			{ reset: { index: 7, term: 12 }, sync: true },
		]);
	});

	it("that do not belong together are refused with what to do", () => {
		const log = found(7, 9, 5, two);
		const alone = misaligned(log, null, "n1");
		expect(alone.message).toContain("begins at index 7");
		expect(alone.next).toContain("put it back");
		expect(misaligned(log, at(5, 1), "n1").message).toContain("at index 5");
	});
});

describe("what the log has behind the snapshot", () => {
	/** A log of 30 commands, of which a read gives ten. */
	const logOf = (asked: number[], failsAt = 0) => ({
		read: async (first: number, last: number): Promise<Entry[]> => {
			asked.push(first);
			if (first === failsAt) throw new Error("the disk is gone");
			const count = Math.max(0, Math.min(10, last - first + 1));
			return Array.from({ length: count }, (_, at) => ({
				...{ index: first + at, term: 1, kind: EntryKind.command, level: 1 },
				data: encodeCommand({ op: "put", key: `k${first + at}`, value: "v" }),
			}));
		},
	});
	const replay = (log: ReturnType<typeof logOf>, state: ReplicatedState) =>
		restore(
			log as unknown as LogStorage,
			{ recovered: found(1, 30, 25, one), snapshot: null },
			state,
		);
	const newState = () =>
		new ReplicatedState(kv, { maxEvents: 100, maxEventBytes: 1e6 });

	it("is applied up to the commit index; the rest is kept", async () => {
		const asked: number[] = [];
		const state = newState();
		const { applied, tail } = await replay(logOf(asked), state);
		expect([applied, state.applied]).toEqual([25, 25]);
		expect(tail.map(({ index }) => index)).toEqual([26, 27, 28, 29, 30]);
		expect(asked).toEqual([1, 11, 21, 26]);
	});

	it("is read on while what was read is applied, and the event loop turns in between (P68)", async () => {
		const asked: number[] = [];
		const state = newState();
		const seen: string[] = [];
		const { apply } = state;
		state.apply = (entry) => {
			if (entry.index % 10 === 1) seen.push(`${entry.index} of ${asked}`);
			return apply.call(state, entry);
		};
		const turn = () => {
			if (state.applied < 25) setImmediate(turn);
			seen.push("turn");
		};
		setImmediate(turn);
		await replay(logOf(asked), state);
		expect(seen.filter((one) => one !== "turn")).toEqual([
			"1 of 1,11",
			"11 of 1,11,21",
			"21 of 1,11,21",
		]);
		for (const first of [11, 21])
			expect(
				seen[seen.findIndex((one) => one.startsWith(`${first} `)) - 1],
			).toBe("turn");
	});

	it("ends the start when it cannot be read, or is not there", async () => {
		for (const failsAt of [1, 11])
			await expect(replay(logOf([], failsAt), newState())).rejects.toThrow(
				"the disk is gone",
			);
		const empty = { read: async () => [] };
		await expect(replay(empty, newState())).rejects.toThrow("no entry 1");
	});
});

describe("where members are dialled", () => {
	const address = (port: number) => ({
		...{ peer: `h:${port}`, client: `h:${port + 1}`, admin: `h:${port + 2}` },
	});
	const members = (addresses: Record<string, ReturnType<typeof address>>) => ({
		...{ voters: Object.keys(addresses), outgoing: [], learners: [] },
		addresses,
	});
	const written = members({ n1: address(10), n2: address(20) });

	it.each([
		[
			"a node without a log goes by what the operator wrote",
			[{ index: 0, configuration: members({}) }],
			{ n1: ["h:10"], n2: ["h:20"] },
		],
		[
			"a founder first by what the operator wrote",
			[
				{
					index: 1,
					configuration: members({ n1: address(10), n2: address(90) }),
				},
			],
			{ n1: ["h:10"], n2: ["h:20", "h:90"] },
		],
		[
			"later on first by the log, which may be older than what the operator wrote",
			[
				{
					index: 7,
					configuration: members({ n2: address(90), n3: address(30) }),
				},
			],
			{ n2: ["h:90", "h:20"], n3: ["h:30"] },
		],
		[
			"of configurations that are open, by the latest; and who leaves is still reached",
			[
				{
					index: 7,
					configuration: members({ n2: address(90), n3: address(30) }),
				},
				{ index: 9, configuration: members({ n2: address(95) }) },
			],
			{ n2: ["h:95", "h:20"], n3: ["h:30"] },
		],
	])("%s (P62)", (_, configurations, expected) => {
		expect(Object.fromEntries(addressesOf(configurations, written))).toEqual(
			expected,
		);
	});
});
