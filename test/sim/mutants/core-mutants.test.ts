import { resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { allMutants, coreMutants } from "./all.js";
import { misfits } from "./bundle.js";
import { MutantCheck } from "./check.js";
import { type CoreMutant, mutate } from "./patch.js";

const root = resolve(import.meta.dirname, "../../..");

function mutant(text: string, file = "src/one.ts"): CoreMutant {
	return {
		...{ name: "some-bug", pitfall: "P1", breaks: "something is broken" },
		edits: [{ file, text, replacement: "b" }],
	};
}

describe("a bug put into the sources", () => {
	it("replaces what it names, in its file alone", () => {
		expect(mutate(mutant("a"), "src/one.ts", "x a y")).toBe("x b y");
		expect(mutate(mutant("a"), "src/two.ts", "x a y")).toBe("x a y");
	});

	it("is refused, with its name, where its text is gone or is there twice", () => {
		for (const source of ["x y", "a a"])
			expect(() => mutate(mutant("a"), "src/one.ts", source)).toThrow(
				/^mutant some-bug: .* in src\/one\.ts/,
			);
	});

	it("still fits the sources, whichever of them it is", async () => {
		expect(await misfits(root, coreMutants)).toEqual([]);
		const unfit = mutant("no line of ours", "src/raft/core.ts");
		expect(await misfits(root, [unfit])).toHaveLength(1);
	});

	it("has a name and a sentence that no other has", () => {
		const names = new Set(allMutants.map(({ name }) => name));
		const sentences = new Set(allMutants.map(({ breaks }) => breaks));
		expect([names.size, sentences.size]).toEqual([
			allMutants.length,
			allMutants.length,
		]);
	});
});

describe("the simulator, with a bug in the core", () => {
	const check = new MutantCheck(root);
	afterAll(() => check.end());

	/** The quickest of different kinds; all of them are `npm run sim:mutants`. */
	const sample: Record<string, readonly string[]> = {
		"ack-before-durable": ["ack-durable"],
		"two-changes-at-once": ["one-change"],
		"any-answer-confirms": ["read-round"],
		"current-without-quorum": ["current-commit"],
		"joint-commit-by-new-voters": ["joint-quorum", "commit-durable"],
	};

	it.each(Object.entries(sample))(
		"notices %s by the rule %s",
		async (name, rules) => {
			const bug = allMutants.find((one) => one.name === name);
			if (bug === undefined) throw new Error(`no mutant is called ${name}`);
			expect(rules).toContain((await check.run(bug, 10)).rule);
		},
	);

	it("notices nothing without one", async () => {
		expect(await check.baseline(3)).toMatchObject({ seed: null, rule: null });
	});
});
