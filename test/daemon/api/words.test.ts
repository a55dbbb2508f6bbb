import { describe, expect, it } from "vitest";
import { Words } from "../../../src/daemon/api/words.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine, MachineJson } from "../../../src/machines/machine.js";
import { ask, Listener, startNode } from "./harness.js";

const circle: unknown[] = [];
circle.push(circle);
const bytes = Buffer.from([1, 255]);
const shownAsBytes = { base64: bytes.toString("base64") };

/** The kv machine, with these words. */
function speaking(words: Partial<MachineJson>): Machine {
	return { ...kv, json: { ...kv.json, ...words } } as unknown as Machine;
}

describe("what a machine says in JSON", () => {
	it.each([
		["a bigint", 10n, shownAsBytes],
		["a circle", circle, shownAsBytes],
		["a function", () => {}, null],
		["nothing", undefined, null],
		["JSON", { a: 1 }, { a: 1 }],
	])("is JSON text whatever it is: %s", (_, said, shown) => {
		const say = () => said;
		const words = new Words(speaking({ result: say, answer: say, event: say }));
		for (const what of ["result", "answer", "event"] as const)
			expect(JSON.parse(words[what](bytes))).toEqual(shown);
	});

	it("that cannot be written ends neither an HTTP request nor a WebSocket, nor the node", async () => {
		const say = () => ({ count: 10n });
		const machine = speaking({ result: say, answer: say, event: say });
		const node = await startNode({ machine });
		const listener = await Listener.open(node);
		const put = { op: "put", key: "a", value: "1" };
		const get = { op: "get", key: "a" };
		expect(await ask(`${node.url}/v1/command`, put)).toMatchObject({
			status: 200,
			json: { index: 1, result: { base64: expect.any(String) } },
		});
		expect(await ask(`${node.url}/v1/query`, get)).toMatchObject({
			status: 200,
			json: { index: 1, answer: { base64: expect.any(String) } },
		});
		listener.send({ id: 7, command: put });
		listener.send({ id: 8, query: get });
		await listener.until(
			({ messages, events }) =>
				events.length === 2 &&
				messages.filter(({ type }) => type === "result").length === 2,
		);
		const results = listener.messages.filter(({ type }) => type === "result");
		const base64 = expect.any(String);
		expect(results).toEqual([
			{ type: "result", id: 7, index: 2, result: { base64 } },
			{ type: "result", id: 8, index: 2, answer: { base64 } },
		]);
		expect(listener.events[0]).toMatchObject({ event: { base64 } });
	});
});

it("a request that the machine has no bytes for is the caller's mistake", async () => {
	const machine = speaking({
		command: () => undefined as unknown as Uint8Array,
	});
	const node = await startNode({ machine });
	const listener = await Listener.open(node);
	expect(await ask(`${node.url}/v1/command`, {})).toMatchObject({
		status: 400,
		json: { error: { code: "invalid" } },
	});
	listener.send({ id: 1, command: {} });
	await listener.until(({ messages }) =>
		messages.some(({ error }) => error?.code === "invalid"),
	);
});
