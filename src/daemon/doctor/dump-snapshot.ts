import { OperatorError, reasonOf } from "../../errors.js";
import { ByteReader } from "../../machines/byte-cursor.js";
import { decodeControl } from "../../machines/control/snapshot.js";
import type { Machine } from "../../machines/machine.js";
import { SessionTable } from "../../machines/sessions.js";
import { SessionRecordReader } from "../../machines/sessions-snapshot.js";
import { StateDigests } from "../engine/state/digests.js";
import { FrameReader } from "../engine/state/frame-reader.js";
import { Section } from "../engine/state/frames.js";
import { type DataDirectory, reading } from "./data-directory.js";
import { hexOf } from "./entry-words.js";
import { examineSnapshots, type UsableSnapshot } from "./examine-snapshots.js";
import { type Output, writeLines } from "./output.js";
import { contentOf } from "./snapshot-content.js";
import { safeJson } from "./text.js";

/** One thing that a snapshot holds. */
type Item = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * Writes what the snapshot at `index` says of itself and holds: the cluster's own state, sessions, digests, events, and
 * how many bytes the machine's state has. Throws OperatorError "usage" when there is none that can be read.
 */
export function dumpSnapshot(
	directory: DataDirectory,
	index: number,
	options: { readonly ndjson: boolean; readonly machine: Machine | null },
	output: Output,
): Promise<void> {
	return reading(directory.snapshots, async () => {
		const { usable, unusable } = examineSnapshots(directory, null);
		const wanted = usable.find(({ manifest }) => manifest.index === index);
		if (wanted === undefined)
			throw noSnapshot(directory, index, usable, unusable.length);
		const items = itemsOf(directory, wanted, options.machine);
		await writeLines(output, linesOf(items, options.ndjson));
	});
}

function* linesOf(items: Iterable<Item>, ndjson: boolean): Generator<string> {
	for (const { type, ...fields } of items)
		yield ndjson
			? safeJson({ version: 1, type, ...fields })
			: `${type.padEnd(8)}  ${safeJson(fields)}`;
}

function* itemsOf(
	directory: DataDirectory,
	snapshot: UsableSnapshot,
	machine: Machine | null,
): Generator<Item> {
	yield { type: "snapshot", ...snapshot.manifest };
	const reader = new ItemReader(machine);
	for (const chunk of contentOf(directory, snapshot)) {
		reader.write(chunk, snapshot.file);
		yield* reader.take();
	}
	yield* reader.rest();
}

/** Turns a state's snapshot into items as its bytes come. */
class ItemReader {
	readonly #machine: Machine | null;
	readonly #frames: FrameReader;
	readonly #table = new SessionTable();
	readonly #sessions = new SessionRecordReader(this.#table);
	#items: Item[] = [];
	#machineBytes = 0;
	#events = 0;

	constructor(machine: Machine | null) {
		this.#machine = machine;
		this.#frames = new FrameReader({
			begin: (section) => {
				if (section === Section.digests) this.#tellSessions();
			},
			record: (section, record) => this.#record(section, record),
			machine: (bytes) => {
				this.#machineBytes += bytes.length;
			},
		});
	}

	write(chunk: Uint8Array, file: string): void {
		try {
			this.#frames.write(chunk);
		} catch (cause) {
			throw new OperatorError(
				"unexpected",
				`the content of ${file} is not what this release knows: ${reasonOf(cause)}`,
				{
					state: "nothing was changed; its checksums are right",
					next: "use the raftd of the release that wrote it",
					cause,
				},
			);
		}
	}

	take(): Item[] {
		const items = this.#items;
		this.#items = [];
		return items;
	}

	rest(): Item[] {
		return [...this.take(), { type: "machine", bytes: this.#machineBytes }];
	}

	#record(section: Section, record: Buffer): void {
		if (section === Section.control) {
			const { sessions, alarms, ...control } = decodeControl(record);
			const told = { ...control, alarms: [...alarms.values()] };
			this.#items.push({ type: "control", ...told });
		} else if (section === Section.sessions) this.#sessions.add(record);
		else if (section === Section.digests) {
			const { newest } = StateDigests.decode(record);
			if (newest !== null) this.#items.push({ type: "digest", ...newest });
		} else if (section === Section.events) this.#event(record);
	}

	/** The first record says from which index on every event is there. */
	#event(record: Buffer): void {
		const reader = new ByteReader(record);
		const index = reader.u48("the index of an event");
		this.#events += 1;
		if (this.#events === 1)
			this.#items.push({ type: "events", oldestIndex: index });
		else
			this.#items.push({
				...{ type: "event", index },
				...this.#eventWords(reader.rest()),
			});
	}

	#eventWords(event: Uint8Array): object {
		try {
			const content = this.#machine?.json?.event(event);
			if (content !== undefined) return { content };
		} catch {
			// Whatever a machine throws: the bytes are there all the same.
		}
		return { hex: hexOf(event) };
	}

	#tellSessions(): void {
		for (const session of this.#table.all()) {
			const { id, ttlMs, activeAtMs, acknowledged, results } = session;
			const kept = results.size;
			this.#items.push({
				...{ type: "session", id, ttlMs, activeAtMs, acknowledged, kept },
			});
		}
	}
}

function noSnapshot(
	{ snapshots }: DataDirectory,
	index: number,
	usable: readonly UsableSnapshot[],
	unusable: number,
): OperatorError {
	const indexes = usable.map(({ manifest }) => manifest.index);
	return new OperatorError(
		"usage",
		`${snapshots} has no snapshot at index ${index} that can be read`,
		{
			problems: [
				indexes.length === 0
					? "there is none at all"
					: `there are those at ${indexes.join(", ")}`,
				...(unusable === 0 ? [] : [`${unusable} cannot be read: raftd doctor`]),
			],
			state: "nothing was changed",
			next: "choose one of them with --snapshot INDEX",
		},
	);
}
