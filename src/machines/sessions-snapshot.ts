import { ByteReader, ByteWriter } from "./byte-cursor.js";
import { MachineInputError } from "./machine.js";
import type { SessionTable } from "./sessions.js";

const Mark = { session: 1, result: 2 };

/**
 * The table in records, one for each session, rising by id, and behind it one for each result that it keeps, rising by
 * sequence number. Equal tables give equal records. The table must not change meanwhile: use a frozen one.
 *
 * A session: u8 1 | u48 id | u48 ttl in ms | u48 time of its last command | u48 acknowledged. A result: u8 2 |
 * u48 sequence | u48 index | the result.
 */
export function* sessionRecords(table: SessionTable): Generator<Uint8Array> {
	const sessions = [...table.all()].sort((one, other) => one.id - other.id);
	for (const { id, ttlMs, activeAtMs, acknowledged, results } of sessions) {
		yield new ByteWriter(25)
			.u8(Mark.session)
			.u48(id)
			.u48(ttlMs)
			.u48(activeAtMs)
			.u48(acknowledged).bytes;
		const kept = [...results.values()].sort(
			(one, other) => one.sequence - other.sequence,
		);
		for (const { sequence, index, result } of kept)
			yield new ByteWriter(13 + result.length)
				.u8(Mark.result)
				.u48(sequence)
				.u48(index)
				.raw(result).bytes;
	}
}

/** Takes the records in order into a table. Throws MachineInputError for what is no record of one. */
export class SessionRecordReader {
	#previous = 0;
	#sequence = 0;
	readonly #table: SessionTable;

	constructor(table: SessionTable) {
		this.#table = table;
	}

	add(record: Uint8Array): void {
		const reader = new ByteReader(record);
		const mark = reader.u8("a record of a session");
		if (mark === Mark.session) this.#addSession(reader);
		else if (mark === Mark.result) this.#addResult(reader);
		else throw new MachineInputError(`no record of a session has mark ${mark}`);
	}

	#addSession(reader: ByteReader): void {
		const session = {
			id: reader.u48("a session"),
			ttlMs: reader.u48("a session's time"),
			activeAtMs: reader.u48("a session's last time"),
			acknowledged: reader.u48("a session's acknowledged number"),
		};
		reader.end("session");
		if (session.id <= this.#previous)
			throw new MachineInputError("the sessions' ids do not rise");
		this.#previous = session.id;
		this.#sequence = session.acknowledged;
		this.#table.add(session);
	}

	#addResult(reader: ByteReader): void {
		const sequence = reader.u48("a sequence number");
		const index = reader.u48("an index");
		if (this.#previous === 0 || sequence <= this.#sequence)
			throw new MachineInputError("the results of a session do not rise");
		this.#sequence = sequence;
		this.#table.keep({ id: this.#previous, sequence }, index, reader.rest());
	}
}
