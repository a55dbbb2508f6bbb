import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { realDisk } from "../../src/storage/real-disk.js";
import {
	type LogReport,
	readEntries,
	verifyLog,
} from "../../src/storage/verify.js";
import { openWal, type Wal } from "../../src/storage/wal.js";
import { FakeDisk, seededRandom } from "../fakes/fake-disk.js";
import {
	batchOf,
	entry,
	openOn,
	place,
	randomLife,
	readAll,
	resetOf,
} from "./history.js";
import { temporaryDirectory } from "./worker-file.js";

const { directory } = place;

function path(ordinal: number): string {
	return `${directory}/${String(ordinal).padStart(10, "0")}.wal`;
}

function verify(disk: FakeDisk): LogReport {
	const { operations } = disk;
	disk.readOnly = true;
	try {
		return verifyLog({ directory, disk });
	} finally {
		disk.readOnly = false;
		expect(disk.operations).toBe(operations);
	}
}

/** Three segments, the first of a five-segment log removed, closed in good order. */
function recorded(): { disk: FakeDisk; wal: Wal; last: number } {
	const disk = new FakeDisk(1);
	const { wal } = openOn(disk);
	wal.append([batchOf(0, [], { term: 7, votedFor: "n3", commit: 0 })]);
	let last = 0;
	while (wal.stats().segments < 5) {
		last += 1;
		wal.append([batchOf(last, [entry(last, 7, "x".repeat(700))])]);
	}
	wal.compact(Math.floor(last / 2));
	while (wal.removeSome());
	wal.append([batchOf(99, [], { term: 7, votedFor: "n3", commit: last - 1 })]);
	return { disk, wal, last };
}

function closed() {
	const { disk, wal, last } = recorded();
	const { firstIndex } = wal.stats();
	wal.close();
	const ordinals = disk
		.list(directory)
		.filter((name) => name.endsWith(".wal"))
		.map((name) => Number.parseInt(name, 10))
		.sort((a, b) => a - b);
	expect(ordinals.length).toBeGreaterThan(2);
	return { disk, firstIndex, last, ordinals };
}

describe("a log that is verified offline", () => {
	it("is told in full: whose it is, its segments, its entries and its hard state, and is left as it was", () => {
		const { disk, firstIndex, last, ordinals } = closed();
		const report = verify(disk);
		expect(report).toMatchObject({
			...{ state: "ok", clusterId: "cluster", nodeId: "n1", marker: null },
			...{ firstIndex, lastIndex: last, entries: last - firstIndex + 1 },
			...{ term: 7, votedFor: "n3", commit: last - 1, leftovers: [] },
		});
		expect(report.segments.map(({ ordinal }) => ordinal)).toEqual(ordinals);
		let next = firstIndex;
		for (const { file, ordinal, bytes, ...segment } of report.segments) {
			expect(file).toBe(path(ordinal));
			expect(bytes).toBe(16 * 1024);
			expect(segment).toMatchObject({
				...{ state: "ok", offset: null, what: null, firstIndex: next },
			});
			next = (segment.lastIndex ?? 0) + 1;
		}
		expect(next).toBe(last + 1);
	});

	it("holds what a start finds, whatever it has lived through", () => {
		for (let seed = 1; seed <= 60; seed += 1) {
			const disk = new FakeDisk(seed);
			const { wal } = openOn(disk);
			for (const step of randomLife(seed, 25))
				if ("compact" in step) wal.compact(step.compact);
				else wal.append(step);
			if (seed % 2 === 0) disk.crash();
			const report = verify(disk);
			disk.readOnly = true;
			const entries = [...readEntries({ directory, disk })];
			disk.readOnly = false;
			const { wal: again, recovered } = openOn(disk);
			const { firstIndex, lastIndex, repaired } = recovered;
			expect(entries).toEqual(readAll(again, lastIndex, firstIndex));
			expect(report).toMatchObject({
				...recovered.hardState,
				state: repaired === null ? "ok" : "torn-tail",
				entries: entries.length,
				firstIndex: entries.at(0)?.index ?? null,
				lastIndex: entries.at(-1)?.index ?? null,
			});
		}
	});

	it("is refused by a start exactly when it is reported as damaged", () => {
		const { disk, ordinals } = closed();
		const random = seededRandom(1);
		const states = new Set<string>();
		for (let turn = 0; turn < 600; turn += 1) {
			const damaged = disk.copy(turn);
			const names = [...ordinals.map(path), `${directory}/log.json`];
			const name = names[turn % names.length] as string;
			const bytes = damaged.bytes(name);
			const used = name.endsWith(".json") ? bytes.length : 15 * 1024;
			const offset = Math.floor(random() * used);
			if (turn % 3 === 0) damaged.overwrite(name, bytes.subarray(0, offset));
			else if (turn % 3 === 1) damaged.flip(name, offset, 3);
			else damaged.overwrite(name, Buffer.from(bytes).fill(0, offset, used));
			const { state } = verify(damaged);
			states.add(state);
			let opened = true;
			try {
				openWal({ disk: damaged, ...place });
			} catch (error) {
				expect(error).toBeInstanceOf(OperatorError);
				opened = false;
			}
			// A name that a flip has changed in log.json: whose log it is cannot be told from it alone.
			if (name.endsWith(".json") && turn % 3 === 1 && opened) continue;
			expect(state === "damaged", `${turn} ${name} ${offset}`).toBe(!opened);
		}
		expect([...states].sort()).toEqual(["damaged", "ok", "torn-tail"]);
	});

	it("tells a torn write, where it is and how long", () => {
		const { disk, wal, last } = recorded();
		disk.failWrites(1);
		const torn = entry(last + 1, 7, "y".repeat(600));
		expect(() => wal.append([batchOf(100, [torn])])).toThrow("EIO");
		const report = verify(disk);
		const { offset, what, state } = report.segments.at(-1) ?? {};
		expect(state).toBe("torn-tail");
		expect(what).toMatch(/^a write of \d+ bytes was cut short$/);
		expect(report).toMatchObject({ state: "torn-tail", lastIndex: last });
		const { recovered } = openOn(disk);
		expect(recovered.repaired).toMatchObject({ offset });
		expect(verify(disk).state).toBe("ok");
	});

	it("tells damage in each segment, and goes on behind it", () => {
		const { disk, ordinals, firstIndex } = closed();
		const [first = 0, second = 0, third = 0] = ordinals;
		disk.flip(path(second), disk.bytes(path(second)).indexOf("xxxx"), 1);
		disk.flip(path(third), 20, 1);
		const report = verify(disk);
		expect(report.state).toBe("damaged");
		expect(
			report.segments
				.slice(0, 3)
				.map(({ state, offset, what }) => [...[state, offset, what]]),
		).toEqual([
			["ok", null, null],
			[
				"damaged",
				12288,
				`a record is unreadable although the log goes on in ${path(third).split("/").at(-1)}`,
			],
			["damaged", 0, "the segment's header is unreadable"],
		]);
		// What the log holds is what it holds up to the damage.
		const lastIndex = report.segments[0]?.lastIndex;
		expect(report).toMatchObject({ firstIndex, lastIndex, votedFor: "n3" });
		expect(
			[...readEntries({ directory, disk })].map(({ index }) => index).at(-1),
		).toBe(lastIndex);
		expect(first).toBe(report.segments[0]?.ordinal);
	});

	it("names every segment that is missing, wherever it was", () => {
		const { ordinals } = closed();
		for (const ordinal of ordinals) {
			const { disk } = closed();
			disk.remove(path(ordinal));
			const report = verify(disk);
			expect(report.segments).toHaveLength(ordinals.length);
			expect(
				report.segments.find((segment) => segment.ordinal === ordinal),
			).toMatchObject({
				...{ state: "damaged", bytes: 0, firstIndex: null },
				what: `the segment ${path(ordinal).split("/").at(-1)} is missing`,
			});
		}
		const gap = closed().disk;
		const [first = 0, second = 0, third = 0] = ordinals;
		for (const ordinal of [first, second]) gap.remove(path(ordinal));
		expect(verify(gap).segments.map(({ what }) => what)).toEqual([
			`the segments ${path(first).split("/").at(-1)} to ${path(second).split("/").at(-1)} are missing`,
			...ordinals.slice(ordinals.indexOf(third)).map(() => null),
		]);
		const { disk } = closed();
		for (const ordinal of ordinals) disk.remove(path(ordinal));
		expect(verify(disk)).toMatchObject({ state: "damaged", entries: 0 });
		disk.create(path(9_999_999_999)).close();
		expect(verify(disk).segments).toHaveLength(2);
	});

	it("tells a foreign segment, a later format, and a log.json that is none", () => {
		const { disk, ordinals } = closed();
		const [first = 0, second = 0] = ordinals;
		const marker = `${directory}/log.json`;
		const said = JSON.parse(disk.bytes(marker).toString());
		const write = (changes: object) =>
			disk.overwrite(
				marker,
				Buffer.from(JSON.stringify({ ...said, ...changes })),
			);
		write({ node: "n2" });
		const foreign = verify(disk);
		expect(foreign).toMatchObject({ state: "damaged", nodeId: "n2" });
		expect(foreign.segments.map(({ what }) => what)).toEqual(
			ordinals.map(
				() => "the segment belongs to another node or another cluster",
			),
		);
		write({ format: 2 });
		expect(verify(disk).marker).toBe(
			"log.json has log format 2; this release reads format 1",
		);
		write({ first: { ...said.first, ordinal: second } });
		expect(verify(disk)).toMatchObject({
			state: "damaged",
			leftovers: [path(first).split("/").at(-1)],
		});
		disk.overwrite(marker, Buffer.from("{"));
		expect(verify(disk)).toMatchObject({
			...{ state: "damaged", marker: "log.json is unreadable", nodeId: null },
		});
		// Without it nothing says that the log was compacted.
		disk.remove(marker);
		expect(verify(disk).segments[0]).toMatchObject({
			ordinal: 1,
			what: expect.stringMatching(/^the segments? 0000000001.wal .*missing$/),
		});
	});

	it("may have half-made files, and a segment that nothing names yet", () => {
		const { disk, wal, last } = recorded();
		wal.prepare(4096);
		while (wal.prepare(4096));
		let index = last;
		const append = () => {
			index += 1;
			wal.append([batchOf(index, [entry(index, 7, "x".repeat(700))])]);
		};
		const { segments } = wal.stats();
		const twin = disk.copy(1);
		const { wal: probe } = openOn(twin);
		let before = 0;
		for (; probe.stats().segments === segments; before += 1) {
			const data = "x".repeat(700);
			probe.append([batchOf(1, [entry(last + 1 + before, 7, data)])]);
		}
		for (let at = 1; at < before; at += 1) append();
		// Header, its sync, its name, the directory: then the seal is not written.
		disk.crashAfter(5);
		expect(append).toThrow();
		disk.restart();
		disk.create(`${directory}/next.tmp`).close();
		const report = verify(disk);
		expect(report).toMatchObject({
			...{ leftovers: ["next.tmp"], lastIndex: index - 1 },
		});
		expect(report.state).not.toBe("damaged");
		expect(report.segments.at(-1)?.what).toBe("the segment holds nothing yet");
		expect(openOn(disk).recovered.lastIndex).toBe(index - 1);
	});

	it("may be empty, or begin behind a reset, or not be there", () => {
		const disk = new FakeDisk(1);
		expect(verify(disk)).toMatchObject({ state: "none", segments: [] });
		const { wal } = openOn(disk);
		expect(verify(disk)).toMatchObject({ state: "ok", firstIndex: null });
		wal.append([resetOf(1, { index: 100, term: 5 })]);
		expect(verify(disk)).toMatchObject({
			...{ state: "ok", firstIndex: null, entries: 0 },
		});
		expect([...readEntries({ directory, disk })]).toEqual([]);
	});
});

describe("a file that is opened to be read only", () => {
	it("cannot be written to, on a real disk", () => {
		const directory = join(temporaryDirectory(), "wal");
		mkdirSync(directory);
		const file = join(directory, "file");
		writeFileSync(file, "before", { mode: 0o400 });
		const opened = realDisk.openReadOnly(file);
		const { writeAt } = opened as ReturnType<typeof realDisk.open>;
		expect(() => writeAt.call(opened, Buffer.from("after"), 0)).toThrow(
			"EBADF",
		);
		const found = Buffer.alloc(6);
		expect(opened.readAt(found, 0)).toBe(6);
		expect(found.toString()).toBe("before");
		opened.close();
	});

	it("is all that a report of a real log needs", () => {
		const directory = join(temporaryDirectory(), "wal");
		const { wal } = openWal({ ...place, directory, disk: realDisk });
		wal.append([batchOf(1, [entry(1, 1)])]);
		wal.close();
		const refuse = () => {
			throw new Error("nothing may be changed");
		};
		const disk = {
			...{ ...realDisk, open: refuse, create: refuse, rename: refuse },
			...{ remove: refuse, makeDirectory: refuse, syncDirectory: refuse },
		};
		expect(verifyLog({ directory, disk })).toMatchObject({
			...{ state: "ok", nodeId: "n1", entries: 1 },
		});
	});
});
