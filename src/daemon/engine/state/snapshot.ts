import { ByteWriter } from "../../../machines/byte-cursor.js";
import { encodeControl } from "../../../machines/control/snapshot.js";
import type { ControlState } from "../../../machines/control.js";
import type { Machine } from "../../../machines/machine.js";
import { sessionRecords } from "../../../machines/sessions-snapshot.js";
import type { EventHistory, HistoryEvents } from "../event-history.js";
import type { StateDigests } from "./digests.js";
import { chunksOf, inRecords, Section } from "./frames.js";
import { encodeHead } from "./restorer.js";

/** Constants of the format, so that nodes that keep more than this write the same. */
const maxEvents = 65_536;
const maxEventBytes = 8 * 1024 * 1024;

/** The state as it is at the call, in chunks; it may change while they are asked for. */
export function snapshotChunks(parts: {
	readonly index: number;
	readonly control: Readonly<ControlState>;
	readonly digests: StateDigests;
	readonly events: EventHistory;
	readonly machine: Machine;
	readonly state: unknown;
	/** Releases that read it must be able to read the machine's part. */
	readonly level: number;
}): Iterator<Uint8Array> {
	const { control, machine } = parts;
	const sessions = control.sessions.frozen();
	const events = parts.events.frozen(maxEvents, maxEventBytes);
	const record = (bytes: Uint8Array) => inRecords([bytes]);
	return chunksOf([
		{
			section: Section.head,
			content: record(encodeHead(parts.index, machine.name)),
		},
		{ section: Section.control, content: [...record(encodeControl(control))] },
		{
			section: Section.sessions,
			content: inRecords(sessionRecords(sessions)),
		},
		{ section: Section.digests, content: [...record(parts.digests.encode())] },
		{ section: Section.events, content: inRecords(eventRecords(events)) },
		{
			section: Section.machine,
			content: begun(machine.snapshot(parts.state, parts.level)),
		},
	]);
}

/** u48 oldest index; then for each event: u48 index | the event. */
function* eventRecords({
	oldestIndex,
	events,
}: HistoryEvents): Generator<Uint8Array> {
	yield new ByteWriter(6).u48(oldestIndex).bytes;
	for (const [index, event] of events)
		yield new ByteWriter(6 + event.length).u48(index).raw(event).bytes;
}

/** Asks for the first chunk at once: a machine that is a generator freezes nothing before that. */
function begun(chunks: Iterable<Uint8Array>): Iterable<Uint8Array> {
	const iterator = chunks[Symbol.iterator]();
	const first = iterator.next();
	return (function* () {
		for (let next = first; !next.done; next = iterator.next()) {
			if (!(next.value instanceof Uint8Array))
				throw new TypeError("the machine gave a chunk that is no bytes");
			yield next.value;
		}
	})();
}
