import type { Words } from "./words.js";

/** What is kept for subscribers that are told of the same events a little later. */
const maxCachedBytes = 1024 * 1024;
/** A message is no longer than this, unless it is of one event: what a client has to take whole. */
const maxMessageBytes = 64 * 1024;

const opening = '{"type":"events","events":[';
const closing = "]}";
const envelopeBytes = opening.length + closing.length;

/** An event as its place in a message holds it. */
export interface EventText {
	readonly json: string;
	/** Of its UTF-8, and the comma that parts it from the next. */
	readonly bytes: number;
}

/**
 * Events as all subscribers share them: each is translated once, and a run of events that several subscribers are told
 * in the same turn is one buffer, framed for the WebSocket, for all of them.
 */
export class EventFrames {
	readonly #words: Words;
	readonly #texts = new Map<number, EventText>();
	#cachedBytes = 0;
	readonly #runs = new Map<string, Buffer>();

	constructor(words: Words) {
		this.#words = words;
	}

	/** The event of the command at `index`; there is at most one. */
	event(index: number, event: Uint8Array): EventText {
		const known = this.#texts.get(index);
		if (known !== undefined) return known;
		const json = `{"index":${index},"event":${this.#words.event(event)}}`;
		const text = { json, bytes: Buffer.byteLength(json) + 1 };
		this.#texts.set(index, text);
		this.#cachedBytes += text.bytes;
		this.#forget();
		return text;
	}

	/** The messages of all the events from `first` to `last`, which are `events`, framed. */
	run(first: number, last: number, events: readonly EventText[]): Buffer {
		const key = `${first}-${last}`;
		const known = this.#runs.get(key);
		if (known !== undefined) return known;
		const frames = messagesOf(events).map(textFrame);
		const run =
			frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
		// Subscribers of the same turn follow one another; the next turn begins with other indexes.
		if (this.#runs.size === 0) setImmediate(() => this.#runs.clear());
		this.#runs.set(key, run);
		return run;
	}

	#forget(): void {
		for (const [index, text] of this.#texts) {
			if (this.#cachedBytes <= maxCachedBytes) return;
			this.#texts.delete(index);
			this.#cachedBytes -= text.bytes;
		}
	}
}

function messagesOf(events: readonly EventText[]): string[] {
	const messages: string[] = [];
	let first = 0;
	let bytes = envelopeBytes;
	for (const [at, event] of events.entries()) {
		if (at > first && bytes + event.bytes > maxMessageBytes) {
			messages.push(messageOf(events.slice(first, at)));
			first = at;
			bytes = envelopeBytes;
		}
		bytes += event.bytes;
	}
	messages.push(messageOf(events.slice(first)));
	return messages;
}

function messageOf(events: readonly EventText[]): string {
	return `${opening}${events.map(({ json }) => json).join(",")}${closing}`;
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
