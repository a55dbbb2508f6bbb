import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplicatedState } from "../../../src/daemon/engine/replicated-state.js";
import { digestInterval } from "../../../src/daemon/engine/state/digests.js";
import { OperatorError } from "../../../src/errors.js";
import type { ControlCommand } from "../../../src/machines/control.js";
import { encodeCommand } from "../../../src/machines/kv/codec.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { ApplyContext, Machine } from "../../../src/machines/machine.js";
import {
	decodeSessionAnswer,
	encodeSessionCommand,
} from "../../../src/machines/sessions.js";
import { type Entry, EntryKind } from "../../../src/raft/types.js";

const limits = { maxEvents: 100_000, maxEventBytes: 1 << 26 };

type Word = Pick<Entry, "kind" | "data"> & { readonly level?: number };

const noop: Word = { kind: EntryKind.noop, data: new Uint8Array(0) };

const put = (key: string, value: string): Word => ({
	kind: EntryKind.command,
	data: encodeCommand({ op: "put", key, value }),
});

const once = (id: number, sequence: number, word: Word): Word => ({
	kind: EntryKind.sessionCommand,
	data: encodeSessionCommand({ id, sequence, acknowledged: 0 }, word.data),
});

const control = (command: ControlCommand): Word => ({
	kind: EntryKind.control,
	data: Buffer.from(JSON.stringify(command)),
});

const openSession = control({ type: "open-session", ttlMs: 500, nowMs: 1 });

/** A state with everything told to one subscriber that was there from the start. */
class Node {
	readonly state: ReplicatedState;
	readonly events: string[] = [];
	gap: number | null = null;

	constructor(machine: Machine = kv as Machine, told = limits) {
		this.state = new ReplicatedState(machine, told);
		this.state.events.subscribe(1, {
			onEvent: (index, event) =>
				this.events.push(`${index} ${Buffer.from(event).toString("latin1")}`),
			onProgress: () => {},
			onGap: (oldestIndex) => {
				this.gap = oldestIndex;
			},
		});
	}

	apply(...words: Word[]): (string | null)[] {
		const results = words.map((word) => {
			const entry = { index: this.state.applied + 1, term: 1, level: 1 };
			const result = this.state.apply({ ...entry, ...word });
			return result === null ? null : Buffer.from(result).toString("latin1");
		});
		while (this.state.events.tell(() => 0));
		return results;
	}

	skipTo(index: number): this {
		while (this.state.applied < index) this.apply(noop);
		return this;
	}

	snapshot(): Buffer {
		return Buffer.concat(chunksOf(this.state));
	}
}

/** What is compared: buffers of megabytes are more than an assertion can show. */
function hash(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}

function chunksOf(state: ReplicatedState): Uint8Array[] {
	const { chunks } = state.snapshot();
	const all: Uint8Array[] = [];
	for (let next = chunks.next(); !next.done; next = chunks.next())
		all.push(next.value);
	return all;
}

async function restore(
	node: Node,
	index: number,
	snapshot: Uint8Array,
	pieceBytes = 1000,
): Promise<Node> {
	const restorer = node.state.restorer(index);
	for (let at = 0; at < snapshot.length; at += pieceBytes) {
		const piece = Buffer.from(snapshot.subarray(at, at + pieceBytes));
		await restorer.write(piece);
		// The restorer may keep nothing of what it was given.
		piece.fill(0xee);
	}
	restorer.finish();
	while (node.state.events.tell(() => 0));
	return node;
}

const word: fc.Arbitrary<Word> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc
			.tuple(fc.constantFrom("a", "b", "c"), fc.string({ maxLength: 8 }))
			.map(([key, value]) => put(key, value)),
	},
	{
		weight: 4,
		arbitrary: fc
			.record({
				id: fc.constantFrom(1001, 1002, 1003, 7),
				sequence: fc.integer({ min: 1, max: 6 }),
				key: fc.constantFrom("a", "b"),
			})
			.map(({ id, sequence, key }) => once(id, sequence, put(key, "s"))),
	},
	fc
		.uint8Array({ maxLength: 30 })
		.chain((data) =>
			fc.constantFrom(
				{ kind: EntryKind.command, data },
				{ kind: EntryKind.sessionCommand, data },
			),
		),
	fc.constant(noop),
	fc.nat({ max: 2000 }).map((nowMs) => control({ type: "tick", nowMs })),
	fc.nat({ max: 2000 }).map((nowMs) =>
		control({
			...{ type: "raise-alarm", kind: "corrupt-data", node: `n${nowMs % 3}` },
			...{ index: 1, message: "it is", nowMs },
		}),
	),
	fc.nat({ max: 2000 }).map((nowMs) =>
		control({
			...{ type: "acquire-lock", holder: "ann", host: "h", nonce: "n" },
			...{ operation: "roll", ttlMs: 100, nowMs },
		}),
	),
	fc.constant(
		control({ type: "set-write-level", level: 1, release: "1.0.0", nowMs: 1 }),
	),
);

/** Near to where a digest is due, with sessions 1001 to 1003. */
function begun(): Node {
	const node = new Node().skipTo(1000);
	node.apply(openSession, openSession, openSession);
	return node;
}

describe("a replicated state", () => {
	it("comes back from a snapshot at any point, and goes on with equal results, events, digests and snapshots", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(word, { maxLength: 40 }),
				fc.array(word, { maxLength: 40 }),
				fc.integer({ min: 1, max: 3000 }),
				async (before, after, pieceBytes) => {
					const node = begun();
					node.apply(...before);
					const taken = node.snapshot();
					const { applied } = node.state;
					const copy = await restore(new Node(), applied, taken, pieceBytes);
					expect(hash(copy.snapshot())).toBe(hash(taken));
					expect(copy.events).toEqual(node.events);
					expect(copy.apply(...after)).toEqual(node.apply(...after));
					const end = Math.max(node.state.applied, digestInterval);
					expect(hash(copy.skipTo(end).snapshot())).toBe(
						hash(node.skipTo(end).snapshot()),
					);
					expect(copy.events).toEqual(node.events);
					expect(node.state.newestDigest).not.toBeNull();
					expect(copy.state.newestDigest).toEqual(node.state.newestDigest);
				},
			),
			{ numRuns: 60 },
		);
	});

	it("shows nothing in a snapshot of what is applied while it is read", () => {
		fc.assert(
			fc.property(
				fc.array(word, { maxLength: 40 }),
				fc.array(word, { minLength: 1, maxLength: 40 }),
				(before, after) => {
					const node = begun();
					node.apply(...before);
					const expected = node.snapshot();
					const { chunks, index } = node.state.snapshot();
					node.apply(...after);
					const all: Uint8Array[] = [];
					for (let next = chunks.next(); !next.done; next = chunks.next())
						all.push(next.value);
					expect(hash(Buffer.concat(all))).toBe(hash(expected));
					expect(index).toBe(1003 + before.length);
				},
			),
			{ numRuns: 60 },
		);
	});

	it("cuts its snapshot into chunks of at most 256 KiB, each in memory of its own", async () => {
		const node = new Node();
		for (let at = 0; at < 40; at++)
			node.apply(put(`key ${at}`, "x".repeat(at * 20_000)));
		const chunks = chunksOf(node.state);
		expect(chunks.length).toBeGreaterThan(50);
		for (const chunk of chunks)
			expect(chunk.length).toBeLessThanOrEqual(256 * 1024);
		expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBe(
			chunks.length,
		);
		const copy = await restore(new Node(), 40, Buffer.concat(chunks), 70_001);
		expect(hash(copy.snapshot())).toBe(hash(node.snapshot()));
	});

	it("refuses a snapshot that is cut short, goes on, or is of another index or machine, and stays as it was", async () => {
		const node = begun();
		node.apply(put("a", "1"), once(1001, 1, put("b", "2")));
		const { applied } = node.state;
		const whole = node.snapshot();
		const refused = async (index: number, bytes: Uint8Array, to = new Node()) =>
			await expect(restore(to, index, bytes)).rejects.toThrow(
				`the snapshot at index ${index} cannot be restored`,
			);
		for (let length = 0; length < whole.length; length += 7)
			await refused(applied, whole.subarray(0, length));
		await refused(applied, Buffer.concat([whole, Buffer.from([0])]));
		await refused(applied + 1, whole);
		await refused(applied, Buffer.from("something else entirely"));
		await refused(
			applied,
			whole,
			new Node({ ...kv, name: "other" } as Machine),
		);
		const kept = new Node();
		kept.skipTo(3);
		const before = kept.snapshot();
		await refused(applied, whole.subarray(0, whole.length - 1), kept);
		expect(hash(kept.snapshot())).toBe(hash(before));
		await restore(kept, applied, whole);
		expect(hash(kept.snapshot())).toBe(hash(whole));
	});

	it("is told no section twice, none out of order and none that it does not know", async () => {
		const whole = new Node().snapshot();
		for (const code of [0, 2, 7, 255]) {
			const wrong = Buffer.from(whole);
			wrong[14] = code;
			await expect(restore(new Node(), 0, wrong)).rejects.toThrow("follows");
		}
	});

	it("restores a machine that can do so only all at once, or that has no digest", async () => {
		const { restorer: _, digest: __, ...plain } = kv;
		const node = new Node(plain as Machine);
		node.apply(put("a", "1"));
		node.skipTo(1100);
		const copy = new Node(plain as Machine);
		await restore(copy, 1100, node.snapshot());
		expect(hash(copy.snapshot())).toBe(hash(node.snapshot()));
		expect(copy.state.newestDigest).toEqual(node.state.newestDigest);
	});

	it("freezes a machine whose snapshot is a generator that says all at once", () => {
		const machine: Machine<{ value: number }> = {
			...{ name: "n", levels: { reads: [1, 1], writes: 1 } },
			create: () => ({ value: 0 }),
			apply(state) {
				state.value++;
				return new Uint8Array(0);
			},
			query: () => new Uint8Array(0),
			*snapshot(state) {
				yield Buffer.from(`${state.value}`);
			},
			restore: () => ({ value: 0 }),
		};
		const node = new Node(machine as Machine);
		node.apply(put("a", "1"));
		const expected = node.snapshot();
		const { chunks } = node.state.snapshot();
		node.apply(put("a", "1"));
		expect(Buffer.from(chunks.next().value)).toEqual(expected);
	});

	it("has no snapshot once it has failed, and none of an older index takes its place", async () => {
		const node = new Node();
		const old = node.snapshot();
		node.apply({ kind: EntryKind.noop, data: Buffer.alloc(0) });
		await expect(restore(node, 0, old)).rejects.toThrow("invariant");
		node.apply({ ...put("a", "1"), level: 9 });
		expect(() => node.state.snapshot()).toThrow("level 9");
	});
});

describe("commands of a session", () => {
	it("are executed once, tell once, and are answered with the first result and index", () => {
		const node = begun();
		const [first, again, other] = node.apply(
			once(1001, 1, put("a", "1")),
			once(1001, 1, put("a", "1")),
			once(1002, 1, put("a", "1")),
		);
		expect(again).toBe(first);
		const answer = (text: string | null | undefined) =>
			decodeSessionAnswer(Buffer.from(text ?? "", "latin1"));
		expect(answer(first)).toMatchObject({ kind: "executed", index: 1004 });
		expect(answer(other)).toMatchObject({ kind: "executed", index: 1006 });
		expect(node.events.map((event) => event.split(" ")[0])).toEqual([
			"1004",
			"1006",
		]);
	});

	it("are not executed when the session is unknown, has expired, or makes no sense", () => {
		const node = begun();
		const expire = control({ type: "tick", nowMs: 501 });
		const results = node.apply(
			once(7, 1, put("a", "1")),
			{ kind: EntryKind.sessionCommand, data: Buffer.from("short") },
			expire,
			once(1001, 1, put("a", "1")),
		);
		expect(
			results
				.filter((_, at) => at !== 2)
				.map((text) => decodeSessionAnswer(Buffer.from(text ?? "", "latin1"))),
		).toMatchObject([
			{ reason: "session-expired" },
			{ reason: "session-misused" },
			{ reason: "session-expired" },
		]);
		expect(node.events).toEqual([]);
		expect(node.state.wantsTick).toBe(false);
	});

	it("want time told while there are any, as a lock does", () => {
		expect(new Node().state.wantsTick).toBe(false);
		expect(begun().state.wantsTick).toBe(true);
		const locked = new Node();
		locked.apply(
			control({
				...{ type: "acquire-lock", holder: "ann", host: "desk" },
				...{ operation: "roll", ttlMs: 20_000, nowMs: 1 },
			}),
		);
		expect(locked.state.wantsTick).toBe(true);
	});

	it("fail the state where the machine fails on them", () => {
		const node = new Node({
			...kv,
			apply: () => {
				throw new Error("a mistake");
			},
		} as unknown as Machine);
		node.apply(openSession);
		expect(node.apply(once(1, 1, put("a", "1")))).toEqual([null]);
		expect(node.state.failure).toBe("machine kv failed on entry 2: a mistake");
		expect(node.state.unreadable).toBeNull();
	});
});

describe("levels", () => {
	const machineOf = (reads: readonly [number, number], writes: number) =>
		({ ...kv, levels: { reads, writes } }) as unknown as Machine;
	const setLevel = (level: number) =>
		control({ type: "set-write-level", level, release: "2.1.0", nowMs: 1 });

	it.each([
		["a level above what the machine reads", { ...put("a", "1"), level: 3 }],
		["a level below it", { ...put("a", "1"), level: 0 }],
		[
			"a session's command above it",
			{ ...once(1, 1, put("a", "1")), level: 3 },
		],
		["a kind it does not know", { ...noop, kind: 9 as never }],
		["a control command of a later raftd", { ...openSession, level: 2 }],
		[
			"a control command that it does not know",
			control({ type: "of-a-later-release", nowMs: 1 } as never),
		],
		[
			"a control command that says more than it knows",
			control({
				...{ type: "raise-alarm", kind: "of-a-later-release" },
				...{ node: "n1", index: 1, message: "", nowMs: 1 },
			} as never),
		],
		[
			"a configuration of a later raftd",
			{ ...noop, kind: 2 as const, level: 2 },
		],
	])(
		"stop the state at an entry of %s: it is neither skipped nor guessed",
		(_, word) => {
			const node = new Node(machineOf([1, 2], 1));
			node.apply(setLevel(3));
			expect(node.apply(word, put("a", "1"))).toEqual([null, null]);
			expect(node.state.applied).toBe(1);
			expect(node.state.unreadable).toMatchObject({
				kind: "unreadable-entry",
				index: 2,
				message: expect.stringContaining("release 2.1.0"),
			});
			expect(node.state.failure).toBe(node.state.unreadable?.message);
		},
	);

	it("are written at the oldest that is read until the cluster's is set, and then never above it", () => {
		const { state, ...node } = new Node(machineOf([1, 3], 2));
		const apply = (word: Word) =>
			state.apply({ index: state.applied + 1, term: 1, level: 1, ...word });
		expect([state.writeLevel, state.writtenLevel]).toEqual([1, 1]);
		expect(state.refusesLevel(0)).toBeNull();
		expect(state.refusesLevel(1)).toBeNull();
		expect(state.refusesLevel(2)).toContain("above the cluster's write level");
		apply(setLevel(2));
		expect([state.writeLevel, state.writtenLevel]).toEqual([2, 2]);
		expect(state.refusesLevel(2)).toBeNull();
		apply(setLevel(3));
		expect([state.writeLevel, state.writtenLevel]).toEqual([3, 2]);
		expect(state.refusesLevel(3)).toContain("writes level 2");
		expect(state.unreadableBecause()).toBeNull();
		expect(node.gap).toBeNull();
	});

	it("that this release cannot read are known from the log, with the release that is needed", () => {
		const later = new Node(machineOf([1, 1], 1));
		later.apply(setLevel(2));
		expect(later.state.unreadableBecause()).toContain(
			"release 2.1.0, or a later one, is needed",
		);
		const older = new Node(machineOf([3, 4], 4));
		older.apply(setLevel(2));
		expect(older.state.unreadableBecause()).toContain("reads levels 3 to 4");
		expect(older.state.refusesLevel(0)).toContain("reads levels 3 to 4");
	});

	it("that this release cannot read refuse the snapshot before the machine sees it", async () => {
		const node = new Node(machineOf([1, 2], 2));
		node.apply(setLevel(2), put("a", "1"));
		const earlier = new Node({
			...machineOf([1, 1], 1),
			restorer: () => {
				throw new Error("the machine was asked");
			},
		} as Machine);
		const refusal = restore(earlier, 2, node.snapshot());
		await expect(refusal).rejects.toThrow("release 2.1.0");
		await expect(refusal).rejects.toBeInstanceOf(OperatorError);
		expect(earlier.state.applied).toBe(0);
	});

	it("are told to the machine with the command, and with the snapshot the cluster's", () => {
		const told: number[] = [];
		const node = new Node({
			...machineOf([1, 2], 2),
			apply(_state: unknown, _command: Uint8Array, { level }: ApplyContext) {
				told.push(level);
				return new Uint8Array(0);
			},
			snapshot(_state: unknown, level: number) {
				told.push(level * 10);
				return [];
			},
		} as unknown as Machine);
		node.apply(put("a", "1"), setLevel(2), { ...put("a", "1"), level: 2 });
		node.snapshot();
		expect(told).toEqual([1, 2, 20]);
	});
});

describe("digests of a state (P60)", () => {
	const compare = (index: number, digest: string) =>
		control({ type: "compare-state", index, digest, nowMs: 1 });

	it("are taken at fixed indexes, and are equal where the states are", () => {
		const [one, other] = [new Node(), new Node()];
		for (const node of [one, other]) {
			node.apply(put("a", "1"), openSession);
			node.skipTo(digestInterval - 1);
			expect(node.state.newestDigest).toBeNull();
			node.skipTo(digestInterval + 5);
		}
		expect(one.state.newestDigest).toEqual({
			index: digestInterval,
			digest: expect.stringMatching(/^[0-9a-f]{32}$/),
		});
		expect(other.state.newestDigest).toEqual(one.state.newestDigest);
	});

	it.each<[string, Word[], Word[]]>([
		["the machine's state", [put("a", "1")], [put("a", "2")]],
		["the lock", [control({ type: "tick", nowMs: 7 })], [noop]],
		["the sessions", [openSession], [control({ type: "tick", nowMs: 1 })]],
	])("differ where %s does", (_, ours, theirs) => {
		const [one, other] = [new Node(), new Node()];
		one.apply(...ours);
		other.apply(...theirs);
		for (const node of [one, other]) node.skipTo(digestInterval);
		expect(other.state.newestDigest?.digest).not.toBe(
			one.state.newestDigest?.digest,
		);
	});

	it.each([
		["a result", (index: number) => ({ result: Buffer.from([index]) })],
		["an event", (index: number) => ({ event: Buffer.from([index]) })],
	])("differ where %s did, though the states are equal", (_, differs) => {
		const digests = [1, 2].map((number) => {
			const { result = Buffer.from("r"), event = Buffer.from("e") } = differs(
				number,
			) as { result?: Buffer; event?: Buffer };
			const node = new Node({
				...kv,
				apply: (_state: unknown, _command: unknown, { emit }: ApplyContext) => {
					emit(event);
					return result;
				},
			} as unknown as Machine);
			node.apply(put("a", "1"));
			return node.skipTo(digestInterval).state.newestDigest?.digest;
		});
		expect(digests[0]).not.toBe(digests[1]);
	});

	it("are compared by each node with its own; the state says so and stays as it is", () => {
		const [one, other] = [new Node(), new Node()];
		one.apply(put("a", "1"));
		other.apply(put("a", "2"));
		for (const node of [one, other]) node.skipTo(digestInterval);
		const { index, digest } = one.state.newestDigest ?? {
			index: 0,
			digest: "",
		};
		const results = [one, other].map((node) =>
			node.apply(compare(index, digest)),
		);
		expect(results[0]).toEqual(results[1]);
		expect(one.state.disagreement).toBeNull();
		expect(other.state.disagreement).toEqual({
			index,
			own: other.state.newestDigest?.digest,
			other: digest,
		});
		other.apply(compare(index, other.state.newestDigest?.digest ?? ""));
		expect(other.state.disagreement?.other).toBe(digest);
		other.apply(compare(index, "00"));
		expect(other.state.disagreement?.other).toBe("00");
	});

	it("that a node has not, or no longer, are not compared", () => {
		const node = new Node().skipTo(digestInterval * 66);
		const first = compare(digestInterval, "00");
		const never = compare(digestInterval * 70, "00");
		node.apply(first, never);
		expect(node.state.disagreement).toBeNull();
		node.apply(compare(digestInterval * 3, "00"));
		expect(node.state.disagreement?.index).toBe(digestInterval * 3);
	});

	it("that the machine fails to give stop the state", () => {
		const node = new Node({
			...kv,
			digest: () => "text",
		} as unknown as Machine);
		node.skipTo(digestInterval);
		expect(node.apply(noop)).toEqual([null]);
		expect(node.state.failure).toContain("it gave no bytes");
	});
});

describe("subscribers to a state that is replaced", () => {
	it("miss nothing when the snapshot holds all that came since, and else are told so and dropped", async () => {
		const leader = new Node();
		leader.apply(put("a", "1"), put("b", "2"), put("c", "3"), put("d", "4"));
		const near = new Node();
		near.apply(put("a", "1"));
		await restore(near, 4, leader.snapshot());
		expect(near.events).toEqual(leader.events);
		expect(near.gap).toBeNull();

		const short = new Node(kv as Machine, { ...limits, maxEvents: 2 });
		short.apply(put("a", "1"), put("b", "2"), put("c", "3"), put("d", "4"));
		const far = new Node();
		far.apply(put("a", "1"));
		const heard = far.events.length;
		await restore(far, 4, short.snapshot());
		expect(far.gap).toBe(3);
		expect(far.events).toHaveLength(heard);
		expect(far.state.events.oldestIndex).toBe(3);
		expect(far.state.events.subscribers).toBe(0);
		expect(
			far.state.events.subscribe(2, { onEvent() {}, onProgress() {} }),
		).toBeNull();
	});
});
