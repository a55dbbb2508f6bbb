import {
	appendFileSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { systemClock } from "../../../src/operations/clock.js";
import type { OperationContext } from "../../../src/operations/context.js";
import type { OperationEvent } from "../../../src/operations/events.js";
import { type LogsWish, logs } from "../../../src/operations/logs/logs.js";
import { operating } from "../operating.js";

let directory: string;
let events: OperationEvent[];

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-logs-"));
	events = [];
	for (const id of ["n1", "n2"]) mkdirSync(join(directory, id));
});
afterEach(() => rmSync(directory, { recursive: true }));

const path = (id: string) => join(directory, id, "log");
const own = (second: number, msg: string) =>
	`${JSON.stringify({ level: "info", time: new Date(second * 1000).toISOString(), msg })}\n`;

/** Two nodes on this machine, and a third on a host that is off. */
function context(signal = new AbortController().signal): OperationContext {
	const { context: given } = operating();
	const { inventory } = given;
	return {
		...{ ...given, signal, clock: systemClock },
		emit: (event) => void events.push(event),
		inventory: {
			...{ ...inventory, stateDirectory: directory },
			nodes: inventory.nodes.map((node) =>
				node.id === "n3" ? { ...node, host: "h3" } : node,
			),
		},
		machines: {
			...given.machines,
			service: () => Promise.reject(new Error("nothing is started")),
			host: () => Promise.reject(new OperatorError("unreachable", "h3 is off")),
		},
	};
}

function wish(changes: Partial<LogsWish> = {}): LogsWish {
	return { nodes: [], follow: false, sinceMs: null, lines: 100, ...changes };
}

describe("the logs of a cluster", () => {
	it("are one stream by time, and a host that is off is told beside it, once", async () => {
		writeFileSync(path("n1"), own(1, "a") + own(4, "d"));
		writeFileSync(path("n2"), own(2, "b") + own(3, "c"));
		const shown: string[] = [];
		const report = await logs(context(), wish(), (lines) => {
			shown.push(...lines.map(({ message }) => message));
		});
		expect(shown).toEqual(["a", "b", "c", "d"]);
		expect(report).toEqual({
			...{ cluster: "test", nodes: ["n1", "n2", "n3"] },
			unread: [{ node: "n3", fault: "h3 is off" }],
		});
		expect(events).toEqual([
			{
				...{ type: "warning", node: "n3" },
				message: "its log is not read: h3 is off",
			},
		]);
	});

	it("of some nodes touch no other's host, and of one that there is not are refused", async () => {
		writeFileSync(path("n2"), own(2, "b"));
		const report = await logs(context(), wish({ nodes: ["n2"] }), () => {});
		expect([report.nodes, report.unread, events]).toEqual([["n2"], [], []]);
		await expect(
			logs(context(), wish({ nodes: ["n7"] }), () => {}),
		).rejects.toMatchObject({ kind: "usage" });
	});

	it("are followed until whoever reads them has enough", async () => {
		writeFileSync(path("n1"), own(1, "a"));
		writeFileSync(path("n2"), "");
		const abort = new AbortController();
		const shown: string[] = [];
		const report = await logs(
			context(abort.signal),
			wish({ follow: true }),
			(lines) => {
				shown.push(...lines.map(({ node, message }) => `${node} ${message}`));
				if (shown.length === 1) appendFileSync(path("n2"), own(2, "b"));
				else abort.abort(new OperatorError("interrupted", "enough"));
			},
		);
		expect(shown).toEqual(["n1 a", "n2 b"]);
		expect(report.unread).toEqual([{ node: "n3", fault: "h3 is off" }]);
		expect(events).toHaveLength(1);
	});

	it("are no answer to somebody who has left before they were read", async () => {
		const abort = new AbortController();
		abort.abort(new OperatorError("interrupted", "enough"));
		await expect(
			logs(context(abort.signal), wish(), () => {}),
		).rejects.toMatchObject({ kind: "interrupted" });
	});
});
