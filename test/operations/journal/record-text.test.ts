import { expect, it } from "vitest";
import type { OperationRecord } from "../../../src/operations/journal/record.js";
import {
	maxRecordBytes,
	recordText,
} from "../../../src/operations/journal/record-text.js";

const record: OperationRecord = {
	...{ version: 1, id: "t1", operation: "rolling-restart", text: "roll" },
	...{ arguments: { nodes: [] }, memo: { processes: { n1: "p1" } }, skip: [] },
	...{ state: "running", attempts: [], plan: [], finished: [], step: null },
	...{ error: null, report: null },
};

const plan = (steps: number) =>
	Array.from({ length: steps }, (_, at) => ({
		...{ id: `n${at}/restart`, title: "stop and start", node: `n${at}` },
		cost: "no other may fail while it is down",
	}));

it("a record is kept whole while there is room", () => {
	const small = { ...record, plan: plan(20), report: { nodes: [] } };
	expect(JSON.parse(recordText(small))).toEqual(small);
});

it("a long plan loses its costs, then everything that only people read, never what resume rests on", () => {
	const kept = JSON.parse(recordText({ ...record, plan: plan(180) }));
	expect(kept.plan).toHaveLength(180);
	expect(kept.plan[0].cost).toBe("");
	for (const steps of [300, 3_000]) {
		const large = {
			...{ ...record, plan: plan(steps), report: { plan: plan(steps) } },
			finished: plan(steps).map(({ id }) => id),
			error: { kind: "refused", message: "x".repeat(20_000) } as const,
		};
		const text = recordText(large);
		expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxRecordBytes);
		expect(JSON.parse(text)).toMatchObject({
			...{ arguments: record.arguments, memo: record.memo, state: "running" },
			finished: { length: 20 },
		});
	}
});
