import { expect, it } from "vitest";
import { ClockAheadError } from "../../src/cluster/clock-ahead.js";
import { OperatorError } from "../../src/errors.js";
import { askAnyNode } from "../../src/operations/any-node.js";
import { failureOf, operating } from "./operating.js";

it("asks one node after the other, and names each, and what to type, when none answers", async () => {
	const { context } = operating();
	const asked: string[] = [];
	const failure = await failureOf(
		askAnyNode(context, async ({ id }) => {
			asked.push(id);
			throw new OperatorError("unreachable", `${id} does not answer`, {
				node: id,
			});
		}),
	);
	expect(asked).toEqual(["n1", "n2", "n3"]);
	expect(failure).toMatchObject({
		kind: "unreachable",
		message: "none of n1, n2, n3 gives an answer",
		problems: [1, 2, 3].map((number) => `n${number} does not answer`),
		next: "raftctl status -c cluster.yaml",
	});
});

const clockOf = (id: string) =>
	new ClockAheadError(
		{ id },
		`${id}: the lock was not touched: the clock of the node that took it is 60 s ahead of the leader's`,
	);

it("passes over a node whose clock is off, says so once, and goes on", async () => {
	const { context, events } = operating();
	const ask = () =>
		askAnyNode({ ...context }, async ({ id }) => {
			if (id === "n1") throw clockOf(id);
			return id;
		});
	expect([await ask(), await ask()]).toEqual(["n2", "n2"]);
	expect(events).toEqual([
		{
			...{ type: "warning", node: "n1" },
			message: expect.stringMatching(
				/^n1: .* is 60 s ahead of the leader's; another node was asked\. Next: set the clock of n1 right/,
			),
		},
	]);
});

it("names the node whose clock is off, and what to do, where nobody else answers", async () => {
	const { context } = operating();
	const failure = await failureOf(
		askAnyNode(context, async ({ id }) => {
			if (id === "n2") throw clockOf(id);
			throw new OperatorError("unreachable", `${id} does not answer`);
		}),
	);
	expect(failure.problems[1]).toContain("n2: the lock was not touched");
	expect(failure.next).toMatch(/^set the clock of n2 right .*give the command/);
});
