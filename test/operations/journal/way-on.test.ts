import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import type { Operation } from "../../../src/operations/operation.js";
import { runOperation } from "../../../src/operations/run-operation.js";
import type { Step } from "../../../src/operations/steps/step.js";
import { failureOf, type Operating, operating } from "../operating.js";

const resume = "raftctl operation resume -c cluster.yaml";
const ways = `${resume} goes on with it, raftctl operation abort -c cluster.yaml gives it up`;

const bare = { node: null, cost: "" };
/** What is done by it stays done. */
const lasting: Step = {
	...{ ...bare, id: "begin", title: "begin", run: async () => null },
};

function endingWith(error: Error, before: readonly Step[]): Operation {
	const ends: Step = {
		...{ ...bare, id: "end", title: "end", looks: true },
		run: async () => {
			throw error;
		},
	};
	return {
		...{ name: "promote", text: "promote n4", arguments: {}, skip: [] },
		prepare: async () => ({}),
		steps: async () => [...before, ends],
		abortSteps: async () => [],
		report: async () => ({}),
	};
}

async function failing(
	error: Error,
	{
		before = [lasting],
		world = operating(),
	}: { readonly before?: readonly Step[]; readonly world?: Operating } = {},
): Promise<OperatorError> {
	return failureOf(
		runOperation(world.context, () => endingWith(error, before), {
			lockWaitMs: 0,
		}),
	);
}

describe("what to type after an operation that stands unfinished", () => {
	it.each([
		[
			"give the command again: it goes on where it was",
			{ next: "give the command again: it goes on where it was", remedy: "" },
			ways,
		],
		[
			"a remedy, and the command again",
			{ remedy: "make room on h1" },
			`make room on h1, then ${ways}`,
		],
		["nothing", {}, `raftctl status -c cluster.yaml, then ${ways}`],
		[
			"a look",
			{ next: "raftctl certs status" },
			`raftctl certs status; then ${ways}`,
		],
		["the resume itself", { next: resume }, resume],
	])(
		"is its resume, where the place that failed said: %s",
		async (_, { ...words }, next) => {
			const cause = new OperatorError("unreachable", "it broke", words);
			const error = await failing(cause);
			expect(error).toMatchObject({ kind: "unreachable", next });
			expect(error.message).toBe("it broke");
		},
	);

	it("comes with a kind that does not say that nothing was touched", async () => {
		const cause = new OperatorError("refused", "full", { remedy: "" });
		expect(await failing(cause)).toMatchObject({ kind: "partial" });
		expect(await failing(cause, { before: [] })).toMatchObject({
			kind: "refused",
		});
	});

	it("is its resume after what nobody foresaw, too", async () => {
		const cause = new Error("no such method");
		const error = await failing(cause);
		expect(error).toMatchObject({ kind: "unexpected", next: ways, cause });
		expect(error.state).toContain("unfinished");
	});

	it("is the command again where nothing was touched", async () => {
		const remedy = "make room on h1";
		const cause = new OperatorError("refused", "full", { remedy });
		const error = await failing(cause, { before: [] });
		expect(error.next).toBe("make room on h1, then give the command again");
	});

	it("is its resume where the journal could not be told that nothing is left of it", async () => {
		const world = operating();
		const { engine } = world.context;
		const context = {
			...world.context,
			engine: {
				...engine,
				writeOperation: (async (node, wish, options) => {
					if (!wish.unfinished) throw new OperatorError("locked", "lost");
					return engine.writeOperation(node, wish, options);
				}) satisfies typeof engine.writeOperation,
			},
		};
		const cause = new OperatorError("refused", "full", { remedy: "" });
		const error = await failing(cause, {
			before: [],
			world: { ...world, context },
		});
		expect(error.next).toBe(ways);
	});
});
