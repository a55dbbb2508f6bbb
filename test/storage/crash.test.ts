import { describe, expect, it } from "vitest";
import type { WriteBatch } from "../../src/storage/log-storage.js";
import { DiskCrash, FakeDisk, seededRandom } from "../fakes/fake-disk.js";
import {
	batchOf,
	contentsOf,
	entry,
	Model,
	openOn,
	randomHistory,
} from "./history.js";

/** Plays `history` until its end or the crash; says what must be there and what may be there as well. */
function play(
	disk: FakeDisk,
	history: readonly WriteBatch[][],
	from = new Model(),
): { must: Model; may: Model; crashed: boolean } {
	let must = from;
	let may = from;
	try {
		const { wal } = openOn(disk);
		for (const [number, group] of history.entries()) {
			may = must.copy().apply(group);
			wal.append(group);
			must = may;
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

function reopened(disk: FakeDisk): string {
	const { wal, recovered } = openOn(disk);
	return contentsOf(wal, recovered);
}

describe("the log after a crash", () => {
	it("holds what was acknowledged, and of the group under way all or nothing, wherever the crash fell", () => {
		let crashes = 0;
		for (let seed = 1; seed <= 12; seed += 1) {
			const history = randomHistory(seed, 24);
			const whole = new FakeDisk(seed);
			play(whole, history);
			for (let at = 1; at <= whole.operations; at += 1) {
				const disk = new FakeDisk(seed * 10_000 + at);
				disk.crashAfter(at);
				const { must, may, crashed } = play(disk, history);
				expect(crashed).toBe(true);
				disk.crash();
				const found = reopened(disk);
				expect(
					[must.contents(), may.contents()],
					`seed ${seed}, call ${at}`,
				).toContain(found);
				// What an open returned is durable: the next crash must not take it back.
				disk.crash();
				expect(reopened(disk), `seed ${seed}, call ${at}, twice`).toBe(found);
				crashes += 1;
			}
		}
		expect(crashes).toBeGreaterThan(500);
	});

	it("is as safe when the process was killed and the power failed later", () => {
		for (let seed = 1; seed <= 6; seed += 1) {
			const history = randomHistory(seed, 16);
			const whole = new FakeDisk(seed);
			play(whole, history);
			for (let at = 1; at <= whole.operations; at += 1) {
				const disk = new FakeDisk(seed * 10_000 + at);
				disk.crashAfter(at);
				const { must, may } = play(disk, history);
				disk.restart();
				const killed = openOn(disk);
				const found = contentsOf(killed.wal, killed.recovered);
				expect(
					[must.contents(), may.contents()],
					`seed ${seed}, call ${at}`,
				).toContain(found);
				const { lastIndex, terms } = killed.recovered;
				const next = [
					batchOf(1, [entry(lastIndex + 1, (terms.at(-1)?.term ?? 0) + 1)]),
				];
				killed.wal.append(next);
				disk.crash();
				expect(
					reopened(disk).split("\n").slice(1),
					`seed ${seed}, call ${at}, power`,
				).toEqual([
					...found.split("\n").slice(1),
					`${lastIndex + 1} ${(terms.at(-1)?.term ?? 0) + 1} 1 1 ${Buffer.from(next[0]?.block.subarray(18) ?? []).toString("hex")}`,
				]);
			}
		}
	});

	it("goes on after a crash, and after a crash within the repair of a crash", () => {
		for (let seed = 1; seed <= 200; seed += 1) {
			const random = seededRandom(seed);
			const history = randomHistory(seed, 30);
			const disk = new FakeDisk(seed);
			disk.crashAfter(20 + Math.floor(random() * 60));
			const { must, may } = play(disk, history.slice(0, 20));
			disk.crash();
			disk.crashAfter(1 + Math.floor(random() * 6));
			try {
				reopened(disk);
			} catch (error) {
				expect(error).toBeInstanceOf(DiskCrash);
			}
			disk.crash();
			const found = reopened(disk);
			const state = [must, may].find((model) => model.contents() === found);
			expect(state, `seed ${seed}`).toBeDefined();
			const model = (state as Model).copy();
			model.waiting = null;
			const more = continuation(model, seed);
			const second = play(disk, more, model);
			expect(second.crashed).toBe(false);
			expect(reopened(disk), `seed ${seed}, continued`).toBe(
				second.must.contents(),
			);
		}
	});
});

/** Groups that fit behind `model`: a random history, its indexes and terms moved up. */
function continuation(model: Model, seed: number): WriteBatch[][] {
	const base = model.entries.length;
	const term = Math.max(model.hardState.term, model.entries.at(-1)?.term ?? 0);
	return shifted(randomHistory(seed + 1_000_000, 12), base, term);
}

function shifted(
	history: WriteBatch[][],
	base: number,
	term: number,
): WriteBatch[][] {
	return history.map((group) =>
		group.map((batch) => {
			const block = Buffer.from(batch.block);
			for (
				let at = 0;
				at < block.length;
				at += 18 + block.readUInt32LE(at + 14)
			) {
				block.writeUIntLE(block.readUIntLE(at, 6) + base, at, 6);
				block.writeUIntLE(block.readUIntLE(at + 6, 6) + term, at + 6, 6);
			}
			const { hardState } = batch;
			return {
				...batch,
				firstIndex: batch.firstIndex === 0 ? 0 : batch.firstIndex + base,
				lastIndex: batch.lastIndex === 0 ? 0 : batch.lastIndex + base,
				block,
				hardState:
					hardState === null
						? null
						: {
								...hardState,
								term: hardState.term + term,
								commit: hardState.commit + base,
							},
			};
		}),
	);
}
