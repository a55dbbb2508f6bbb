import type { Words } from "./words.js";

/** What is kept for subscribers that are told of the same events a little later. */
const maxCachedBytes = 1024 * 1024;

/**
 * WebSocket frames that all subscribers share: an event is translated and framed once, and a run of events that
 * several subscribers are sent in the same turn is one buffer for all of them.
 */
export class EventFrames {
	readonly #words: Words;
	readonly #frames = new Map<number, Buffer>();
	#cachedBytes = 0;
	readonly #runs = new Map<string, Buffer>();

	constructor(words: Words) {
		this.#words = words;
	}

	/** The frame of the event of the command at `index`; there is at most one. */
	event(index: number, event: Uint8Array): Buffer {
		const known = this.#frames.get(index);
		if (known !== undefined) return known;
		const shown = JSON.stringify(this.#words.event(event));
		const frame = textFrame(
			`{"type":"event","index":${index},"event":${shown}}`,
		);
		this.#frames.set(index, frame);
		this.#cachedBytes += frame.length;
		this.#forget();
		return frame;
	}

	/** All the frames of the events from `first` to `last`, as one. */
	run(first: number, last: number, frames: readonly Buffer[]): Buffer {
		if (frames.length === 1) return frames[0] as Buffer;
		const key = `${first}-${last}`;
		const known = this.#runs.get(key);
		if (known !== undefined) return known;
		const run = Buffer.concat(frames);
		// Subscribers of the same turn follow one another; the next turn begins with other indexes.
		if (this.#runs.size === 0) setImmediate(() => this.#runs.clear());
		this.#runs.set(key, run);
		return run;
	}

	#forget(): void {
		for (const [index, frame] of this.#frames) {
			if (this.#cachedBytes <= maxCachedBytes) return;
			this.#frames.delete(index);
			this.#cachedBytes -= frame.length;
		}
	}
}

/** Everything up to `index` has been told: a place to resume from. */
export function progressFrame(index: number): Buffer {
	return textFrame(`{"type":"progress","index":${index}}`);
}

/** A whole, unmasked text message as a server sends it (RFC 6455, section 5.2). */
export function textFrame(text: string): Buffer {
	const length = Buffer.byteLength(text);
	const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
	const frame = Buffer.allocUnsafe(headerBytes + length);
	frame[0] = 0x81;
	if (headerBytes === 2) frame[1] = length;
	else if (headerBytes === 4) {
		frame[1] = 126;
		frame.writeUInt16BE(length, 2);
	} else {
		frame[1] = 127;
		frame.writeUInt32BE(0, 2);
		frame.writeUInt32BE(length, 6);
	}
	frame.write(text, headerBytes);
	return frame;
}
