import { expect, it } from "vitest";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { eventually, Listener, startNode } from "./harness.js";

it("a WebSocket is read from only while its unanswered requests have room in bytes", async () => {
	// Without words of its own a machine is handed whatever a client sends.
	const { json: _, ...wordless } = kv;
	const node = await startNode({
		machine: wordless as unknown as Machine,
		limits: { maxPendingBytes: 200_000 },
	});
	const { replica } = node;
	const listener = await Listener.open(node);
	replica.hold();
	const key = "k".repeat(100_000);
	const count = 200;
	for (let id = 1; id <= count; id += 1)
		listener.send({ id, query: { op: "get", key } });
	// Until nothing moves any more, here or there.
	let before = "";
	let still = 0;
	while (still < 10) {
		await new Promise((resolve) => setTimeout(resolve, 20));
		const now = `${replica.inflight} ${listener.ws.bufferedAmount}`;
		still = now === before && replica.inflight > 0 ? still + 1 : 0;
		before = now;
	}
	expect(replica.inflight).toBeLessThanOrEqual(4);
	replica.release();
	await listener.until(
		({ messages }) =>
			messages.filter(({ id }) => id !== undefined).length === count,
	);
	await eventually(() => node.api.inflight() === 0);
});
