import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventFrames } from "../../../src/daemon/api/event-frames.js";
import { Words } from "../../../src/daemon/api/words.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";

const maxMessageBytes = 64 * 1024;

interface Message {
	readonly type: string;
	readonly events: { index: number; event: unknown }[];
}

/** What a client reads: whole, unmasked text frames (RFC 6455, section 5.2). */
function read(frames: Buffer): { message: Message; bytes: number }[] {
	const messages: { message: Message; bytes: number }[] = [];
	for (let at = 0; at < frames.length; ) {
		expect(frames[at]).toBe(0x81);
		const short = frames[at + 1] as number;
		const header = short < 126 ? 2 : short === 126 ? 4 : 10;
		const bytes =
			header === 2
				? short
				: header === 4
					? frames.readUInt16BE(at + 2)
					: Number(frames.readBigUInt64BE(at + 2));
		at += header;
		const text = frames.toString("utf8", at, at + bytes);
		messages.push({ message: JSON.parse(text), bytes });
		at += bytes;
	}
	return messages;
}

/** Frames of a machine whose events are JSON, and how many it has translated. */
function counting() {
	const count = { translated: 0 };
	const machine: Machine = {
		...(kv as Machine),
		json: {
			...(kv as Required<Machine>).json,
			event: (bytes) => {
				count.translated += 1;
				return JSON.parse(Buffer.from(bytes).toString());
			},
		},
	};
	return { frames: new EventFrames(new Words(machine)), count };
}

const bytesOf = (event: unknown) => Buffer.from(JSON.stringify(event));

describe("frames of events", () => {
	it("hold every event, in order, in messages that are bounded but for a single long event", () => {
		const event = fc.record({
			unit: fc.constantFrom("x", "\u00e9", "\u{1f600}", '"'),
			length: fc.oneof(
				fc.nat({ max: 200 }),
				fc.integer({ min: 0, max: 30_000 }),
				fc.integer({ min: 65_300, max: 65_600 }),
			),
			step: fc.integer({ min: 1, max: 1000 }),
		});
		fc.assert(
			fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (made) => {
				const { frames } = counting();
				let index = 0;
				const events = made.map(({ unit, length, step }) => {
					index += step;
					return { index, event: unit.repeat(length) };
				});
				const texts = events.map((each) =>
					frames.event(each.index, bytesOf(each.event)),
				);
				const first = events[0]?.index ?? 0;
				const messages = read(frames.run(first, index, texts));
				expect(messages.flatMap(({ message }) => message.events)).toEqual(
					events,
				);
				for (const { message, bytes } of messages) {
					expect(message.type).toBe("events");
					expect(message.events.length).toBeGreaterThan(0);
					if (message.events.length > 1)
						expect(bytes).toBeLessThanOrEqual(maxMessageBytes);
				}
				// No message could have taken the first event of the next one, but for the comma.
				for (const [at, { bytes }] of messages.slice(0, -1).entries()) {
					const next = messages[at + 1]?.message.events[0];
					expect(
						bytes + Buffer.byteLength(JSON.stringify(next)) + 1,
					).toBeGreaterThanOrEqual(maxMessageBytes);
				}
			}),
			{ numRuns: 100 },
		);
	});

	it("are made once for all subscribers of a turn, and each event is translated once", async () => {
		const { frames, count } = counting();
		const texts = () =>
			[1, 2, 3].map((index) => frames.event(index, bytesOf({ index })));
		const run = frames.run(1, 3, texts());
		expect(frames.run(1, 3, texts())).toBe(run);
		expect(frames.run(2, 3, texts().slice(1))).not.toBe(run);
		expect(count.translated).toBe(3);
		await new Promise((resolve) => setImmediate(resolve));
		await new Promise((resolve) => setImmediate(resolve));
		// Kept for the turn only: what is told later is told from the events.
		expect(frames.run(1, 3, texts())).not.toBe(run);
		expect(frames.run(1, 3, texts())).toEqual(run);
		expect(count.translated).toBe(3);
	});
});
