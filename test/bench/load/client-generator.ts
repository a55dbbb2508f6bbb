/**
 * Writes to one node through the client library, as applications do; a process of its own, started by `Load`.
 * No attempt is made twice: what is refused, by the node or by the library, is counted.
 *
 *   client-generator ENDPOINT CONNECTIONS
 */
import { connectRaft, type NotDoneError } from "../../../src/client/index.js";
import { encodeCommand } from "../../../src/machines/kv/codec.js";
import type { GeneratorOrder, LoadWindow, Writes } from "./orders.js";
import { Window } from "./window.js";

/** Whoever is refused and comes back at once would be measured, not the nodes. */
const refusedPauseMs = 5;
// The stacks of a hundred thousand refusals a second would take this process the time that it measures.
Error.stackTraceLimit = 0;
const [endpoint = "", connectionCount = "4"] = process.argv.slice(2);
const client = connectRaft({
	endpoints: [endpoint],
	connections: Number(connectionCount),
	...{ maxAttempts: 1, timeoutMs: 10_000 },
});
let window = new Window();

function commandOf({ bytes, keys }: Writes): () => Uint8Array {
	const value = Buffer.alloc(Math.max(0, bytes - 16), "x");
	return () => {
		const key = `k${Math.floor(Math.random() * keys)}`.padEnd(12, "_");
		return encodeCommand({ op: "put", key, value });
	};
}

function write(
	command: () => Uint8Array,
	then: (isDone: boolean) => void,
	sentMs = performance.now(),
): void {
	window.sent(1);
	client.command(command()).then(
		() => {
			window.done(performance.now() - sentMs);
			then(true);
		},
		({ reason }: NotDoneError) => {
			window.refused(reason);
			then(false);
		},
	);
}

/** Each of `clients` waits for its answer. */
function closedLoop(writes: Writes): () => void {
	const command = commandOf(writes);
	let isOver = false;
	const next = () => {
		if (isOver) return;
		write(command, (isDone) => {
			if (isDone) next();
			else setTimeout(next, refusedPauseMs);
		});
	};
	for (let at = 0; at < (writes.clients ?? 1); at++) next();
	return () => {
		isOver = true;
	};
}

/** So many a second, whatever becomes of them. */
function openLoop(writes: Writes): () => void {
	const command = commandOf(writes);
	const { perSecond = 1 } = writes;
	const startMs = performance.now();
	let sent = 0;
	const timer = setInterval(() => {
		const due = ((performance.now() - startMs) / 1000) * perSecond;
		// From when it was to be sent, or a standstill of this process would hide what it held up.
		for (; sent < due; sent++)
			write(command, () => {}, startMs + (sent / perSecond) * 1000);
	}, 1);
	return () => clearInterval(timer);
}

function say(taken: LoadWindow): void {
	process.send?.(taken);
	window = new Window();
}

let stop = () => {};
// The first command connects.
await client.query(Buffer.alloc(0)).catch(() => undefined);
process.on("message", (order: GeneratorOrder) => {
	if (order.do === "write")
		stop =
			order.writes.perSecond === undefined
				? closedLoop(order.writes)
				: openLoop(order.writes);
	else if (order.do === "take") say(window.take());
	else stop();
});
process.send?.("ready");
