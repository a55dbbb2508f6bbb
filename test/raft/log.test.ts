import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entryBytes } from "../../src/raft/codec.js";
import { RaftLog } from "../../src/raft/log.js";
import type { Entry, Restored, TermRange } from "../../src/raft/types.js";
import { entry } from "./cluster.js";

/** What may happen to a log, with numbers that are brought into range where they are used. */
const actions = fc.array(
	fc.oneof(
		fc.record({
			act: fc.constant("append" as const),
			terms: fc.nat(2),
			size: fc.nat(30),
		}),
		fc.record({ act: fc.constant("cut" as const), at: fc.nat() }),
		fc.record({ act: fc.constant("commit" as const), at: fc.nat() }),
		fc.record({ act: fc.constant("submit" as const) }),
		fc.record({ act: fc.constant("written" as const) }),
		fc.record({ act: fc.constant("apply" as const) }),
		fc.record({ act: fc.constant("compact" as const), at: fc.nat() }),
		fc.record({
			act: fc.constant("reset" as const),
			ahead: fc.nat(3),
			terms: fc.nat(2),
		}),
	),
	{ maxLength: 80 },
);
type Action = ReturnType<typeof actions.generate>["value"][number];

/** The log as a plain array, which forgets nothing: `base` only says what must not be answered any more. */
class Model {
	readonly log: Entry[];
	readonly disk: Entry[];
	readonly pending: {
		readonly sequence: number;
		readonly from: number;
		readonly entries: readonly Entry[];
	}[] = [];
	/** Where the log begins. */
	base = 0;
	commit: number;
	applied = 0;
	sequence = 0;

	constructor(entries: readonly Entry[], commit: number) {
		this.log = [...entries];
		this.disk = [...entries];
		this.commit = commit;
	}

	/** Up to where the disk holds what the log holds. */
	get durable(): number {
		let at = 0;
		while (at < this.log.length && this.disk[at] === this.log[at]) at++;
		return at;
	}
}

function perform(real: RaftLog, model: Model, action: Action): void {
	const last = model.log.length;
	switch (action.act) {
		case "append": {
			const term = (model.log.at(-1)?.term ?? 0) + action.terms;
			const next = entry(last + 1, Math.max(1, term), action.size);
			real.append(next);
			model.log.push(next);
			break;
		}
		case "cut": {
			if (last === model.commit) break;
			const index = model.commit + 1 + (action.at % (last - model.commit));
			real.truncate(index);
			model.log.length = index - 1;
			break;
		}
		case "commit":
			model.commit += action.at % (last - model.commit + 1);
			real.commitTo(model.commit);
			break;
		case "submit": {
			const entries = real.submit(++model.sequence);
			model.pending.push({
				sequence: model.sequence,
				from: (entries[0]?.index ?? last + 1) - 1,
				entries,
			});
			break;
		}
		case "written": {
			const write = model.pending.shift();
			if (write === undefined) break;
			if (write.entries.length > 0) {
				model.disk.length = write.from;
				model.disk.push(...write.entries);
			}
			real.written(write.sequence);
			break;
		}
		case "apply":
			real.applying = Math.max(
				real.applying,
				Math.min(real.commit, real.durable),
			);
			real.appliedTo(real.applying);
			model.applied = real.applied;
			break;
		case "compact": {
			const room = model.applied - model.base;
			if (room <= 0) break;
			model.base += 1 + (action.at % room);
			real.compact(model.base);
			break;
		}
		case "reset":
			reset(real, model, action);
			break;
	}
}

/** A snapshot beyond the commit index whose last entry the log does not hold. */
function reset(
	real: RaftLog,
	model: Model,
	{ ahead, terms }: { readonly ahead: number; readonly terms: number },
): void {
	const index = model.commit + 1 + ahead;
	const term = Math.max(1, model.log.at(-1)?.term ?? 0) + terms;
	if (model.log[index - 1]?.term === term) return;
	model.log.length = Math.min(model.log.length, model.commit);
	while (model.log.length < index)
		model.log.push(entry(model.log.length + 1, term));
	model.disk.length = 0;
	model.disk.push(...model.log);
	Object.assign(model, { base: index, commit: index, applied: index });
	real.reset(index, term);
	real.appliedTo(index);
	// Writes of the old log end later, and make nothing of the new one durable (P6).
	const { sequence } = model.pending.splice(0).at(-1) ?? {};
	if (sequence !== undefined) real.written(sequence);
	expect(real.durable).toBe(index);
}

function compare(real: RaftLog, model: Model): void {
	const { log, commit } = model;
	expect(real.lastIndex).toBe(log.length);
	expect(real.lastTerm).toBe(log.at(-1)?.term ?? 0);
	expect(real.commit).toBe(commit);
	expect(real.durable).toBeLessThanOrEqual(model.durable);
	expect(real.uncommittedBytes).toBe(
		log.slice(commit).reduce((sum, each) => sum + entryBytes(each), 0),
	);
	expect(real.firstIndex).toBe(model.base + 1);
	for (let index = 0; index <= log.length + 1; index++) {
		const term = index === 0 ? 0 : (log[index - 1]?.term ?? null);
		expect(real.termAt(index)).toBe(index < model.base ? null : term);
		for (const limit of [0, 1, 3, 9]) {
			// What lies at or before the base is committed, so logs agree there whatever its term.
			let common = Math.min(index, log.length);
			while (common > model.base && (log[common - 1] as Entry).term > limit)
				common--;
			expect(real.lastIndexWithTermAtMost(index, limit)).toBe(common);
		}
	}
	for (let first = model.base + 1; first <= log.length; first++) {
		const slice = real.slice(first, log.length);
		if (slice !== null) expect(slice).toEqual(log.slice(first - 1));
		else expect(first).toBeLessThan(real.windowFirst);
	}
}

function restored(entries: readonly Entry[], commit: number): Restored {
	const terms: TermRange[] = [];
	for (const { term, index } of entries)
		if (terms.at(-1)?.term !== term) terms.push({ term, first: index });
	return {
		hardState: { term: 9, votedFor: null, commit },
		lastIndex: entries.length,
		terms,
		configurations: [],
		snapshot: null,
		tail: entries.slice(commit),
		applied: 0,
	};
}

describe("the core's log", () => {
	it("answers as a plain array would, whatever happens to it", () => {
		fc.assert(
			fc.property(
				actions,
				fc.nat(5),
				fc.nat(5),
				fc.integer({ min: 1, max: 300 }),
				fc.boolean(),
				(todo, length, committed, windowBytes, isNeeded) => {
					const entries = Array.from({ length }, (_, at) =>
						entry(at + 1, 1 + Math.floor(at / 2), 3),
					);
					const commit = Math.min(committed, length);
					const real = new RaftLog(restored(entries, commit), windowBytes);
					const model = new Model(entries, commit);
					for (const action of todo) {
						real.neededFrom = isNeeded ? 1 : Number.POSITIVE_INFINITY;
						perform(real, model, action);
						compare(real, model);
					}
					while (model.pending.length > 0)
						perform(real, model, { act: "written" });
					if (real.submitted === real.lastIndex)
						expect(real.durable).toBe(model.durable);
				},
			),
			{ numRuns: 300 },
		);
	});

	it("keeps no more in memory than its limit, once everything is written, committed and applied", () => {
		const log = new RaftLog(restored([], 0), 1000);
		for (let index = 1; index <= 500; index++) {
			log.append(entry(index, 1, 82));
			log.submit(index);
			log.written(index);
			log.commitTo(index);
			log.applying = index;
			log.appliedTo(index);
			expect(log.windowBytes).toBeLessThanOrEqual(1250);
		}
		expect(log.slice(1, 500)).toBeNull();
		expect(log.slice(495, 500)).toHaveLength(6);
		expect(log.termAt(1)).toBe(1);
	});

	it("keeps few of the entries that nobody needs, and all within its limit that somebody does", () => {
		const log = new RaftLog(restored([], 0), 64_000);
		for (let index = 1; index <= 400; index++) {
			log.append(entry(index, 1, 82));
			log.submit(index);
			log.written(index);
			log.commitTo(index);
			log.applying = index;
			log.appliedTo(index);
			log.neededFrom = Math.min(index, 300) + 1;
		}
		expect(log.slice(301, 400)).toHaveLength(100);
		expect(log.slice(280, 400)).toBeNull();
		log.neededFrom = Number.POSITIVE_INFINITY;
		log.append(entry(401, 1, 82));
		log.submit(401);
		log.written(401);
		expect(log.windowBytes).toBeLessThanOrEqual(1250);
		expect(log.slice(395, 401)).toHaveLength(7);
	});

	it("takes nothing for durable that a snapshot has replaced since it was handed in (P6)", () => {
		const log = new RaftLog(restored([entry(1, 1)], 1), 1000);
		for (let index = 2; index <= 6; index++) log.append(entry(index, 1));
		log.submit(1);
		log.reset(3, 2);
		log.append(entry(4, 2));
		log.submit(2);
		log.written(1);
		expect(log.durable).toBe(3);
		log.written(2);
		expect(log.durable).toBe(4);
	});

	it("refuses what would break it: a gap, a term that falls, a cut below the commit index", () => {
		const log = new RaftLog(restored([entry(1, 3)], 1), 1000);
		expect(() => log.append(entry(3, 3))).toThrow(/invariant/);
		expect(() => log.append(entry(2, 2))).toThrow(/invariant/);
		expect(() => log.truncate(1)).toThrow(/invariant/);
		expect(() => log.commitTo(2)).toThrow(/invariant/);
	});
});
