import { describe, expect, it } from "vitest";
import { Turns } from "../../../src/operations/canary/turns.js";
import type { Step } from "../../../src/operations/steps/step.js";

function step(node: string | null, more: Partial<Step> = {}): Step {
	const run = async () => null;
	return { id: `${node}/x`, title: "x", node, cost: "", run, ...more };
}

describe("an operation that is over its budget", () => {
	it("ends before a node is stopped, though its drain has begun", () => {
		const turns = new Turns();
		turns.began(step("n2", { undo: async () => undefined }));
		expect(turns.mayEndBefore(step("n2", { committed: true }))).toBe(true);
	});

	it("brings a node back that it has stopped, and ends before the next", () => {
		const turns = new Turns();
		turns.began(step("n2", { committed: true }));
		expect(turns.mayEndBefore(step("n2"))).toBe(false);
		turns.began(step("n2"));
		expect(turns.mayEndBefore(step("n2"))).toBe(false);
		expect(turns.mayEndBefore(step("n3"))).toBe(true);
		expect(turns.mayEndBefore(step(null))).toBe(true);
	});

	it("ends in the next node's turn as soon as it has begun, too", () => {
		const turns = new Turns();
		turns.began(step("n2", { committed: true }));
		turns.began(step("n3"));
		expect(turns.mayEndBefore(step("n3"))).toBe(true);
	});

	it("has touched nothing while it only looked, or can undo what it did", () => {
		const turns = new Turns();
		turns.began(step("n2", { looks: true }));
		turns.began(step("n2", { undo: async () => undefined }));
		expect(turns.touched).toBe(false);
		turns.began(step("n2"));
		expect(turns.touched).toBe(true);
	});
});
