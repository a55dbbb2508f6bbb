import { describe, expect, it } from "vitest";
import type { WriteBatch } from "../../src/storage/log-storage.js";
import { DiskCrash, FakeDisk, seededRandom } from "../fakes/fake-disk.js";
import {
	batchOf,
	contentsOf,
	entry,
	holds,
	Model,
	openOn,
	randomLife,
	type Step,
} from "./history.js";

/** With 0, no segment is filled beforehand. */
const largeRecordBytes = [undefined, 0];

/** Half of the seeds each way. */
function open(disk: FakeDisk, seed: number) {
	const bytes = largeRecordBytes[seed % largeRecordBytes.length];
	return openOn(disk, undefined, undefined, bytes);
}

/** Plays `history` until its end or the crash; says what must be there and what may be there as well. */
function play(
	disk: FakeDisk,
	seed: number,
	history: readonly Step[],
	from = new Model(),
): { must: Model; may: Model; crashed: boolean } {
	let must = from;
	let may = from;
	try {
		const { wal } = open(disk, seed);
		for (const [number, step] of history.entries()) {
			if ("compact" in step) {
				must = may = must.copy().compact(step.compact);
				wal.compact(step.compact);
				while (wal.removeSome());
			} else {
				may = must.copy().apply(step);
				wal.append(step);
				must = may;
			}
			// Housekeeping falls between groups, as it does in a quiet moment.
			if (number % 3 === 0) wal.markFloor();
			if (number % 2 === 0) wal.prepare(4096);
		}
		may = must.copy().closed();
		wal.close();
		must = may;
		return { must, may, crashed: false };
	} catch (error) {
		if (!(error instanceof DiskCrash)) throw error;
		return { must, may, crashed: true };
	}
}

/** Which of the models a log that is opened now is like, and all that it holds. */
function reopened(disk: FakeDisk, models: readonly Model[]) {
	const opened = openOn(disk);
	const { wal, recovered } = opened;
	return {
		...opened,
		model: models.find((model) => holds(model, opened)),
		contents: contentsOf(wal, recovered),
	};
}

describe("the log after a crash", () => {
	it("holds what was acknowledged, and of the group under way all or nothing, wherever the crash fell", () => {
		let crashes = 0;
		for (let seed = 1; seed <= 14; seed += 1) {
			const history = randomLife(seed, 24);
			const whole = new FakeDisk(seed);
			play(whole, seed, history);
			for (let at = 1; at <= whole.operations; at += 1) {
				const disk = new FakeDisk(seed * 10_000 + at);
				disk.crashAfter(at);
				const { must, may, crashed } = play(disk, seed, history);
				expect(crashed).toBe(true);
				disk.crash();
				const found = reopened(disk, [must, may]);
				expect(found.model, `seed ${seed}, call ${at}`).toBeDefined();
				// What an open returned is durable: the next crash must not take it back.
				disk.crash();
				const { contents } = reopened(disk, []);
				expect(contents, `seed ${seed}, call ${at}, twice`).toBe(
					found.contents,
				);
				crashes += 1;
			}
		}
		expect(crashes).toBeGreaterThan(500);
	});

	it("is as safe when the process was killed and the power failed later", () => {
		for (let seed = 1; seed <= 6; seed += 1) {
			const history = randomLife(seed, 16);
			const whole = new FakeDisk(seed);
			play(whole, seed, history);
			for (let at = 1; at <= whole.operations; at += 1) {
				const disk = new FakeDisk(seed * 10_000 + at);
				disk.crashAfter(at);
				const { must, may } = play(disk, seed, history);
				disk.restart();
				const killed = reopened(disk, [must, may]);
				expect(killed.model, `seed ${seed}, call ${at}`).toBeDefined();
				const { lastIndex, terms, resetTerm } = killed.recovered;
				const term = 1 + (terms.at(-1)?.term ?? resetTerm);
				const next = [batchOf(1, [entry(lastIndex + 1, term)])];
				killed.wal.append(next);
				disk.crash();
				const model = (killed.model as Model).copy();
				model.waiting = null;
				expect(
					reopened(disk, [model.apply(next)]).model,
					`seed ${seed}, call ${at}, power`,
				).toBeDefined();
			}
		}
	});

	it("goes on after a crash, and after a crash within the repair of a crash", () => {
		for (let seed = 1; seed <= 200; seed += 1) {
			const random = seededRandom(seed);
			const history = randomLife(seed, 30);
			const disk = new FakeDisk(seed);
			disk.crashAfter(20 + Math.floor(random() * 80));
			const { must, may } = play(disk, seed, history.slice(0, 20));
			disk.crash();
			disk.crashAfter(1 + Math.floor(random() * 6));
			try {
				reopened(disk, []);
			} catch (error) {
				expect(error).toBeInstanceOf(DiskCrash);
			}
			disk.crash();
			const { model } = reopened(disk, [must, may]);
			expect(model, `seed ${seed}`).toBeDefined();
			const from = (model as Model).copy();
			from.waiting = null;
			const more = continuation(from, seed);
			const second = play(disk, seed, more, from);
			expect(second.crashed).toBe(false);
			expect(
				reopened(disk, [second.must]).model,
				`seed ${seed}, continued`,
			).toBeDefined();
		}
	});
});

/** Steps that fit behind `model`: a random life, its indexes and terms moved up. */
function continuation(model: Model, seed: number): Step[] {
	const base = model.lastIndex;
	const term = Math.max(
		model.hardState.term,
		model.entries.at(-1)?.term ?? model.reset.term,
	);
	return randomLife(seed + 1_000_000, 12).map((step) =>
		"compact" in step
			? { compact: step.compact + base }
			: step.map((batch) => shifted(batch, base, term)),
	);
}

function shifted(batch: WriteBatch, base: number, term: number): WriteBatch {
	const block = Buffer.concat(batch.blocks);
	for (let at = 0; at < block.length; at += 18 + block.readUInt32LE(at + 14)) {
		block.writeUIntLE(block.readUIntLE(at, 6) + base, at, 6);
		block.writeUIntLE(block.readUIntLE(at + 6, 6) + term, at + 6, 6);
	}
	const { hardState, reset } = batch;
	return {
		...batch,
		reset: reset && { index: reset.index + base, term: reset.term + term },
		firstIndex: batch.firstIndex === 0 ? 0 : batch.firstIndex + base,
		lastIndex: batch.lastIndex === 0 ? 0 : batch.lastIndex + base,
		blocks: block.length === 0 ? [] : [block],
		hardState: hardState && {
			...hardState,
			term: hardState.term + term,
			commit: hardState.commit + base,
		},
	};
}
