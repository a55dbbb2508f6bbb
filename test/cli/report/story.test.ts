import { describe, expect, it } from "vitest";
import { StoryTeller } from "../../../src/cli/report-story.js";
import { beganAt } from "./story.js";

function planned(id: string) {
	return { id, title: `do ${id}`, node: null, cost: "" };
}

function tellerOf(...ids: string[]): StoryTeller {
	const teller = new StoryTeller("rolling-restart", beganAt);
	const steps = ids.map(planned);
	teller.observe({ type: "plan", operation: "rolling-restart", steps });
	return teller;
}

function shown(teller: StoryTeller): string[] {
	const { steps } = teller.tell(beganAt, { how: "done" });
	return steps.map(({ id, state }) => `${id} ${state}`);
}

const started = (step: string) =>
	({ type: "step-started", step, title: `do ${step}`, node: null }) as const;

describe("the story of an operation", () => {
	it("has its steps in the order in which they were begun, then those still to come", () => {
		const teller = tellerOf("a", "b", "c", "d");
		for (const step of ["c", "a"]) teller.observe(started(step));
		expect(shown(teller)).toEqual([
			...["c running", "a running", "b planned", "d planned"],
		]);
	});

	it("forgets what an earlier plan had still to come, and nothing that was begun", () => {
		const teller = tellerOf("a", "b", "c");
		teller.observe(started("a"));
		const steps = [planned("a"), planned("d")];
		teller.observe({ type: "plan", operation: "rolling-restart", steps });
		expect(shown(teller)).toEqual(["a running", "d planned"]);
	});

	it("has steps that no plan named, as one that undoes", () => {
		const teller = tellerOf();
		teller.observe(started("x"));
		teller.observe({
			...{ type: "step-finished", step: "x", node: null },
			...{ durationMs: 5, note: null },
		});
		expect(shown(teller)).toEqual(["x done"]);
	});
});
