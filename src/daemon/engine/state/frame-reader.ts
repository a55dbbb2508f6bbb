import { Gatherer } from "../../../machines/gatherer.js";
import {
	frameHeaderBytes,
	magic,
	recordHeaderBytes,
	Section,
} from "./frames.js";

/** Told what the frames of a snapshot hold, in order. */
export interface FrameHandler {
	/** A section begins; every one does, once. */
	begin(section: Section): void;
	/** A record of any section but the machine's. Good for the call. */
	record(section: Section, record: Buffer): void;
	/** Some of the machine's bytes. Good for the call. */
	machine(bytes: Uint8Array): void;
}

/** Takes a snapshot in pieces cut anywhere. Throws for what is none, or of a format that is not known. */
export class FrameReader {
	readonly #handler: FrameHandler;
	readonly #header = Buffer.alloc(Math.max(magic.length, frameHeaderBytes));
	#headerFilled = 0;
	#headerBytes = magic.length;
	#isBegun = false;
	#section: Section | null = null;
	/** Of the frame that is being read. */
	#bytesLeft = 0;
	readonly #records = new Gatherer();

	constructor(handler: FrameHandler) {
		this.#handler = handler;
	}

	get isEnded(): boolean {
		return this.#section === Section.end;
	}

	write(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; ) {
			if (this.isEnded) throw new Error("bytes follow its end");
			const isContent = this.#bytesLeft > 0;
			const length = Math.min(
				isContent ? this.#bytesLeft : this.#headerBytes - this.#headerFilled,
				bytes.length - at,
			);
			const piece = bytes.subarray(at, at + length);
			if (isContent) this.#content(piece);
			else this.#headerPiece(piece);
			at += length;
		}
	}

	#headerPiece(piece: Uint8Array): void {
		this.#header.set(piece, this.#headerFilled);
		this.#headerFilled += piece.length;
		if (this.#headerFilled < this.#headerBytes) return;
		this.#headerFilled = 0;
		if (this.#isBegun) {
			this.#bytesLeft = this.#header.readUInt32LE(1);
			this.#enter(this.#header[0] as Section);
			return;
		}
		if (!this.#header.subarray(0, magic.length).equals(magic))
			throw new Error("it has another format");
		this.#isBegun = true;
		this.#headerBytes = frameHeaderBytes;
	}

	#enter(section: Section): void {
		const before = this.#section ?? 0;
		if (section === before && this.#section !== null) return;
		if (this.#records.waiting > 0)
			throw new Error(`a record of section ${before} is cut short`);
		const isNext =
			section === Section.end
				? before === Section.machine && this.#bytesLeft === 0
				: section === before + 1 && section <= Section.machine;
		if (!isNext) throw new Error(`section ${section} follows ${before}`);
		this.#section = section;
		this.#records.keep(nothing, recordHeaderBytes);
		if (section !== Section.end) this.#handler.begin(section);
	}

	#content(piece: Uint8Array): void {
		this.#bytesLeft -= piece.length;
		const section = this.#section as Section;
		if (section === Section.machine) {
			this.#handler.machine(piece);
			return;
		}
		const bytes = this.#records.add(piece);
		if (bytes === null) return;
		let at = 0;
		for (;;) {
			const end = recordEnd(bytes, at);
			if (end > bytes.length) {
				this.#records.keep(bytes.subarray(at), end - at);
				return;
			}
			this.#handler.record(
				section,
				bytes.subarray(at + recordHeaderBytes, end),
			);
			at = end;
		}
	}
}

/** Where the record at `at` ends; beyond the bytes, where it takes at least so many to tell. */
function recordEnd(bytes: Buffer, at: number): number {
	const contentAt = at + recordHeaderBytes;
	if (contentAt > bytes.length) return contentAt;
	return contentAt + bytes.readUInt32LE(at);
}

const nothing = new Uint8Array(0);
