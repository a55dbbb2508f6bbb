/**
 * Writes to one node over raw streams, as fast or as evenly as it is told; a process of its own, started by `Load`.
 * No attempt is made twice: what a node refuses is counted, not sent again.
 *
 *   generator ENDPOINT CONNECTIONS
 */
import { openStream } from "../../../src/client/open-stream.js";
import { encodeCommand } from "../../../src/machines/kv/codec.js";
import { FrameBatch } from "../../../src/wire/client-frame-batch.js";
import {
	bodyHeaderBytes,
	ClientFrameKind,
	maxResponseFrameBytes,
	reasons,
} from "../../../src/wire/client-frames.js";
import { FrameSplitter } from "../../../src/wire/frame-splitter.js";
import type { GeneratorOrder, LoadWindow, Writes } from "./orders.js";
import { Window } from "./window.js";

const deadlineMs = 10_000;
/** Requests under way at most; ids go round. */
const slots = 1 << 20;
const frameHeaderBytes = 4 + bodyHeaderBytes;
/** Of the key within a frame: header, ack, deadline, the machine's code and the key's length. */
const keyAt = frameHeaderBytes + 5 + 3;
const keyDigits = 12;
/** In an answer that failed, behind the outcome. */
const reasonAt = bodyHeaderBytes + 1;

const [endpoint = "", connectionCount = "4"] = process.argv.slice(2);
const [host = "", port = ""] = endpoint.split(":");
const sinceMs = new Float64Array(slots);
let window = new Window();
let underWay = 0;
let lastId = 0;
/** What follows from an answer: in a closed loop the next write. */
let onAnswer: (stream: Stream) => void = () => {};

type Stream = Awaited<ReturnType<typeof connect>>;

async function connect() {
	const address = { host, port: Number(port), address: endpoint };
	const { socket, head } = await openStream(address, 5000);
	const splitter = new FrameSplitter({
		minFrameBytes: bodyHeaderBytes,
		maxFrameBytes: maxResponseFrameBytes,
	});
	const stream = { socket, due: 0 };
	const receive = (chunk: Buffer) => {
		const nowMs = performance.now();
		splitter.push(chunk, (frame) => {
			const kind = frame[0];
			if (kind === ClientFrameKind.goaway) return;
			underWay--;
			if (kind === ClientFrameKind.failed)
				window.refused(reasons[frame[reasonAt] as number] ?? "unknown");
			else {
				const id = frame.readUInt32LE(1);
				window.done(nowMs - (sinceMs[id % slots] as number));
			}
			onAnswer(stream);
		});
	};
	socket.on("data", receive);
	socket.on("error", () => process.exit(1));
	socket.on("close", () => process.exit(1));
	if (head.length > 0) receive(head);
	return stream;
}

/** One put, to be copied and given another key and id: making each anew would take the time of the nodes. */
function templateOf(bytes: number): Buffer {
	const batch = new FrameBatch();
	const key = "k".padEnd(keyDigits, "0");
	const command = encodeCommand({ op: "put", key, value: Buffer.alloc(0) });
	const value = Buffer.alloc(Math.max(0, bytes - command.length), "x");
	batch.command({
		...{ requestId: 0, ack: "apply", deadlineMs },
		command: encodeCommand({ op: "put", key, value }),
	});
	return Buffer.from(batch.take());
}

/** When each of a number of writes was to be sent: `firstMs`, and each `stepMs` after the one before. */
interface Schedule {
	readonly firstMs: number;
	readonly stepMs: number;
}

/** Sends so many in one write. */
function write(
	stream: Stream,
	count: number,
	{ template, key }: { readonly template: Buffer; readonly key: () => number },
	{ firstMs, stepMs }: Schedule = { firstMs: performance.now(), stepMs: 0 },
): void {
	if (count <= 0) return;
	const frames = Buffer.allocUnsafe(count * template.length);
	let dueMs = firstMs;
	for (let at = 0; at < frames.length; at += template.length) {
		template.copy(frames, at);
		lastId = lastId === 0xffff_ffff ? 1 : lastId + 1;
		frames.writeUInt32LE(lastId, at + 5);
		let rest = key();
		for (let place = keyDigits - 1; place > 0; place--) {
			frames[at + keyAt + place] = 48 + (rest % 10);
			rest = Math.floor(rest / 10);
		}
		sinceMs[lastId % slots] = dueMs;
		dueMs += stepMs;
	}
	underWay += count;
	window.sent(count);
	stream.socket.write(frames);
}

function keysOf({ keys, ordered }: Writes): () => number {
	let next = 0;
	return ordered ? () => next++ % keys : () => Math.floor(Math.random() * keys);
}

/** Each of `clients` waits for its answer. Answers of one packet are followed by one packet. */
function closedLoop(streams: readonly Stream[], writes: Writes): () => void {
	const what = { template: templateOf(writes.bytes), key: keysOf(writes) };
	const { clients = 1, total = Number.POSITIVE_INFINITY } = writes;
	let left = total;
	const flush = (stream: Stream) => {
		const count = Math.min(stream.due, left);
		stream.due = 0;
		left -= count;
		write(stream, count, what);
	};
	onAnswer = (stream) => {
		if (stream.due++ === 0) setImmediate(flush, stream);
		if (left === 0 && underWay === 0) finish();
	};
	streams.forEach((stream, at) => {
		stream.due = Math.ceil((clients - at) / streams.length);
		flush(stream);
	});
	return () => {
		onAnswer = () => {};
	};
}

/** So many a second, whatever becomes of them. */
function openLoop(streams: readonly Stream[], writes: Writes): () => void {
	const what = { template: templateOf(writes.bytes), key: keysOf(writes) };
	const { perSecond = 1 } = writes;
	const stepMs = 1000 / perSecond;
	const startMs = performance.now();
	let sent = 0;
	let turn = 0;
	const timer = setInterval(() => {
		const due = ((performance.now() - startMs) / 1000) * perSecond;
		while (sent < due) {
			const share = Math.min(
				Math.ceil((due - sent) / streams.length),
				slots - underWay,
			);
			if (share <= 0) return;
			const count = Math.min(share, 1000);
			// From when it was to be sent, or a standstill of this process would hide what it held up.
			write(streams[turn++ % streams.length] as Stream, count, what, {
				firstMs: startMs + sent * stepMs,
				stepMs,
			});
			sent += count;
		}
	}, 1);
	return () => clearInterval(timer);
}

let finish: () => void = () => {};
let stop: () => void = () => {};

async function main(): Promise<void> {
	const streams = await Promise.all(
		Array.from({ length: Number(connectionCount) }, connect),
	);
	process.on("message", (order: GeneratorOrder) => {
		if (order.do === "write") {
			const { writes } = order;
			stop =
				writes.perSecond === undefined
					? closedLoop(streams, writes)
					: openLoop(streams, writes);
			finish = () => say(window.take());
		} else if (order.do === "take") {
			say(window.take());
		} else stop();
	});
	process.send?.("ready");
}

function say(taken: LoadWindow): void {
	process.send?.(taken);
	window = new Window();
}

await main();
