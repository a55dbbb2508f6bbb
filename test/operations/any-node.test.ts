import { expect, it } from "vitest";
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
