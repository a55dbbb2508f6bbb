import { describe, expect, it } from "vitest";
import { nodeNamed } from "../../src/operations/node-named.js";
import { chooseNodes } from "../../src/operations/roll/whole-cluster.js";
import { failureOf, operating } from "./operating.js";

const roles = { alpha: "voter", beta: "voter", n1: "voter" } as const;

describe("a node that the cluster file does not have", () => {
	it.each([
		["alhpa", "did you mean alpha? Else choose from alpha, beta, n1"],
		["N1", "did you mean n1? Else choose from alpha, beta, n1"],
		["gamma", "choose from alpha, beta, n1"],
		["n2", "choose from alpha, beta, n1"],
	])("is asked about: %s", async (id, next) => {
		const { context } = operating(roles);
		const failures = [
			await failureOf(Promise.resolve().then(() => nodeNamed(context, id))),
			await failureOf(
				Promise.resolve().then(() => chooseNodes(context, { nodes: [id] })),
			),
		];
		for (const failure of failures) {
			expect(failure.exitCode).toBe(2);
			expect(failure.message).toBe(`the cluster file has no node ${id}`);
			expect(failure.next).toBe(next);
		}
	});
});
