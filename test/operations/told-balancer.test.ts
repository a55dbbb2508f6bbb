import { describe, expect, it } from "vitest";
import type { Balancer } from "../../src/balancers/balancer.js";
import { rollingRestart } from "../../src/operations/rolling-restart.js";
import { operating } from "./operating.js";

/** The fake, as one that knows of drains only what it is told. */
function told() {
	const world = operating();
	const words: string[] = [];
	const withdrawn = new Set<string>();
	const balancer: Balancer = {
		...world.balancer,
		told: {
			async withdraw(node) {
				if (!withdrawn.has(node)) words.push(`withdraw ${node}`);
				withdrawn.add(node);
			},
			async admit(node) {
				if (withdrawn.delete(node)) words.push(`admit ${node}`);
			},
		},
		backends: async () =>
			(await world.balancer.backends()).map((one) => ({
				...one,
				admitting: !withdrawn.has(one.node),
			})),
	};
	return { words, withdrawn, context: { ...world.context, balancer } };
}

describe("a balancer that has to be told", () => {
	it("is told of each node's leaving and return, one node after the other", async () => {
		const { words, context } = told();
		await rollingRestart(context, {
			nodes: [],
			skip: [],
			lockWaitMs: 0,
		});
		expect(words).toEqual([
			...["withdraw n2", "admit n2", "withdraw n3", "admit n3"],
			...["withdraw n1", "admit n1"],
		]);
	});

	it("is not told when its check is skipped by name", async () => {
		const { words, context } = told();
		await rollingRestart(context, {
			nodes: ["n2"],
			skip: ["balancer"],
			lockWaitMs: 0,
		});
		expect(words).toEqual([]);
	});
});
