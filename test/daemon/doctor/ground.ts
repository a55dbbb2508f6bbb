import {
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach } from "vitest";
import { runOffline } from "../../../src/daemon/doctor/command-line.js";
import type { OfflineWord } from "../../../src/daemon/doctor/words.js";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import { ReplicatedState } from "../../../src/daemon/engine/replicated-state.js";
import { openIdentity } from "../../../src/daemon/identity.js";
import { encodeCommand } from "../../../src/machines/kv/codec.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { encodeSessionCommand } from "../../../src/machines/session-command.js";
import { encodeConfiguration } from "../../../src/raft/codec.js";
import { type Entry, EntryKind } from "../../../src/raft/types.js";
import { realDisk } from "../../../src/storage/real-disk.js";
import { SnapshotDirectory } from "../../../src/storage/snapshots/directory.js";
import { openWal } from "../../../src/storage/wal.js";
import { batchOf } from "../../storage/history.js";

export const configuration = {
	...{ voters: ["n1", "n2", "n3"], outgoing: [], learners: [] },
	addresses: { n1: { peer: "h:1", client: "h:2", admin: "h:3" } },
};

const text = (value: object) => Buffer.from(JSON.stringify(value));

/** What a node may hold: entries of every kind, then puts up to `count`. */
export function lifeOf(count: number): Entry[] {
	const put = (value: string) =>
		encodeCommand({ op: "put", key: "colour", value });
	const stamp = { id: 3, sequence: 1, acknowledged: 0 };
	const open = { type: "open-session", nowMs: 1000, ttlMs: 60_000 };
	const first: [EntryKind, Uint8Array][] = [
		[EntryKind.configuration, encodeConfiguration(configuration)],
		[EntryKind.noop, new Uint8Array(0)],
		[EntryKind.control, text(open)],
		[EntryKind.sessionCommand, encodeSessionCommand(stamp, put("red"))],
		[EntryKind.command, put("\u001b[31mblue\u009b")],
		[EntryKind.command, Buffer.from([9, 9])],
	];
	const all = Array.from(
		{ length: count },
		(_, at): [EntryKind, Uint8Array] =>
			first[at] ?? [EntryKind.command, put(`value ${at}`.repeat(9))],
	);
	return all.map(([kind, data], at) => ({
		...{ index: at + 1, term: at === 0 ? 1 : 2, kind, level: 1 },
		data: new Uint8Array(data),
	}));
}

export interface Made {
	readonly entries: readonly Entry[];
	/** Indexes of the node's snapshots. */
	readonly snapshots?: readonly number[];
	/** The log begins as soon behind this index as its segments allow. */
	readonly compactTo?: number;
	readonly commit?: number;
	readonly machine?: Machine;
	/** That which took the snapshots, where it is another. */
	readonly snapshotMachine?: Machine;
}

/** Makes a data directory with the code that a node makes it with. */
export async function makeDirectory(path: string, made: Made): Promise<void> {
	const { entries, snapshots = [], compactTo = 0, machine = kv } = made;
	const { commit = entries.length, snapshotMachine = machine } = made;
	const place = { disk: realDisk, clusterId: "c-test", nodeId: "n1" };
	const identity = openIdentity({ ...place, directory: path });
	const { wal } = openWal({
		...{ ...place, directory: join(path, "wal") },
		segmentBytes: 32 * 1024,
	});
	for (let at = 0; at < entries.length; at += 8)
		wal.append([batchOf(at, entries.slice(at, at + 8))]);
	const hardState = { term: 2, votedFor: "n2", commit };
	wal.append([batchOf(entries.length, [], hardState)]);
	identity.markLogStarted();
	const state = new ReplicatedState(snapshotMachine as Machine, defaultLimits);
	const { snapshots: store } = SnapshotDirectory.open({
		...{ ...place, directory: join(path, "snapshots"), chunkBytes: 4096 },
	});
	for (const entry of entries) {
		state.apply({ ...entry, data: Buffer.from(entry.data) });
		if (!snapshots.includes(entry.index)) continue;
		const writer = store.create({
			...{ clusterId: "c-test", index: entry.index, term: entry.term },
			configuration: { index: 1, configuration },
			...{ machine: machine.name, level: 1, release: "1.2.3" },
			createdAtMs: 1_700_000_000_000,
		});
		const { chunks } = state.snapshot();
		for (let next = chunks.next(); !next.done; next = chunks.next())
			writer.write(next.value);
		store.finish(writer);
	}
	wal.compact(compactTo);
	while (wal.removeSome());
	wal.close();
}

export interface Ran {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** A directory for each test, and what raftd says of it. Call it once in a file. */
export function doctorGround() {
	const ground = { directory: "", run, files };
	beforeEach(() => {
		ground.directory = mkdtempSync(join(tmpdir(), "doctor-"));
	});
	afterEach(() => rmSync(ground.directory, { recursive: true }));

	/** Names of temporary places and random ids are left out of what it said. */
	async function run(word: OfflineWord, ...flags: string[]): Promise<Ran> {
		const before = picture(ground.directory);
		const stdout = new Collector();
		const stderr = new Collector();
		const argv = ["--data-dir", ground.directory, ...flags];
		const code = await runOffline(word, argv, { stdout, stderr });
		if (picture(ground.directory) !== before)
			throw new Error(`raftd ${word} changed the directory`);
		const plain = ({ text }: Collector) =>
			text
				.replaceAll(ground.directory, "DIR")
				.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
				.replace(/-[0-9a-f]{32}\./g, "-ID.");
		return { code, stdout: plain(stdout), stderr: plain(stderr) };
	}

	/** Full paths of the files below a part of the directory, by name. */
	function files(part: "wal" | "snapshots", suffix: string): string[] {
		const place = join(ground.directory, part);
		return readdirSync(place)
			.filter((name) => name.endsWith(suffix))
			.sort()
			.map((name) => join(place, name));
	}

	return ground;
}

/** Names, contents and times of change. */
function picture(directory: string): string {
	return readdirSync(directory, { recursive: true })
		.map((name) => join(directory, String(name)))
		.sort()
		.map((path) => {
			const { mtimeMs, size } = statSync(path);
			const isFile = statSync(path).isFile();
			const bytes = isFile ? readFileSync(path).toString("base64") : "";
			return `${path} ${mtimeMs} ${size} ${bytes}`;
		})
		.join("\n");
}

class Collector extends Writable {
	text = "";

	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		this.text += chunk.toString("utf8");
		done();
	}
}
