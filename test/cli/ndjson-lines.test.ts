import { describe, expect, it } from "vitest";
import { logEvent } from "../../src/cli/log-text.js";
import { ndjsonView } from "../../src/cli/progress/ndjson.js";
import { exitCodes } from "../../src/errors.js";
import type { OperationEvent } from "../../src/operations/events.js";
import { eventSchema, ndjsonLines } from "./ndjson-lines.js";

const about = { step: "n2/drain", node: "n2" };

/** One of each type; a new type does not compile until it is here. */
const events: {
	readonly [Type in OperationEvent["type"]]: OperationEvent & { type: Type };
} = {
	plan: {
		...{ type: "plan", operation: "drain" },
		steps: [{ id: "n2/drain", title: "drain n2", node: "n2", cost: "" }],
	},
	"step-started": { type: "step-started", ...about, title: "drain n2" },
	"step-progress": { type: "step-progress", ...about, note: "3 left" },
	"step-finished": {
		...{ type: "step-finished", ...about, durationMs: 12, note: null },
	},
	"step-skipped": { type: "step-skipped", ...about, reason: "drained" },
	"step-failed": { type: "step-failed", ...about, reason: "it stayed" },
	warning: { type: "warning", node: null, message: "two voters" },
	cost: {
		type: "cost",
		cost: {
			...{ requests: 10, failedRequests: 0, slowestWriteMs: 12.5 },
			...{ longestStallMs: 40, leaderlessMaxMs: 0, leaderlessTotalMs: 0 },
			...{ connectionsMoved: 3, canary: null, budgets: [] },
			...{ overBudget: false },
			downtime: [{ node: "n2", downtimeMs: 800, back: true }],
		},
	},
};

const line = {
	...{ node: "n1", level: null, message: "Started.", fields: {} },
};

function printed(): string {
	let text = "";
	const sink = { write: (piece: string) => (text += piece) };
	const view = ndjsonView({ sink, now: () => new Date(0) });
	for (const event of Object.values(events)) view.show(event);
	return text;
}

describe("the schema of NDJSON", () => {
	it("has every type of event and kind of error, and no other", () => {
		const named = eventSchema.anyOf.map(
			({ $ref }: { $ref: string }) => $ref.split("/").at(-1) as string,
		);
		expect(new Set(named)).toEqual(
			new Set([...Object.keys(events), "log", "result", "error"]),
		);
		const { kind } = eventSchema.$defs.error.properties.error.properties;
		expect(new Set(kind.enum)).toEqual(new Set(Object.keys(exitCodes)));
	});

	it("takes what raftctl prints", () => {
		const text = `${printed()}{"version":1,"type":"result","result":{}}\n`;
		const lines = ndjsonLines(text);
		expect(lines.map(({ type }) => type)).toEqual([
			...Object.keys(events),
			"result",
		]);
	});

	it("takes a line of a log among the events", () => {
		let text = "";
		const sink = { write: (piece: string) => (text += piece) };
		const view = ndjsonView({ sink, now: () => new Date(0) });
		view.show(events.warning);
		view.line?.({
			...{ type: "log", ...logEvent({ ...line, atMs: 5 }) },
		});
		view.line?.({ type: "log", ...logEvent({ ...line, atMs: null }) });
		text += '{"version":1,"type":"result","result":{}}\n';
		expect(ndjsonLines(text).map(({ type, at }) => [type, at])).toEqual([
			["warning", undefined],
			["log", "1970-01-01T00:00:00.005Z"],
			["log", null],
			["result", undefined],
		]);
	});

	it.each([
		["no version", '{"type":"result","result":{}}\n'],
		["another version", '{"version":2,"type":"result","result":{}}\n'],
		["an unknown kind of error", '{"version":1,"type":"error","error":{}}\n'],
		["text", "done\n"],
		["half a line", '{"version":1,"type":"result","result":{}}'],
		["no end", printed().split("\n")[0] as string],
		[
			"something behind the end",
			'{"version":1,"type":"result","result":{}}\n{"version":1,"type":"result","result":{}}\n',
		],
	])("does not take %s", (_, text) => {
		expect(() => ndjsonLines(text)).toThrow();
	});
});
