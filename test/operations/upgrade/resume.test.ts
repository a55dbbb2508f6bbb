import { beforeEach, describe, expect, it } from "vitest";
import type { Run } from "../../../src/operations/operation.js";
import { encodeManifest } from "../../../src/operations/releases/manifest.js";
import { upgradeOperation } from "../../../src/operations/upgrade/upgrade.js";
import { type Operating, operating } from "../operating.js";

let world: Operating;

beforeEach(async () => {
	world = operating();
	await world.clock.sleep(5_000);
});

/** What the node starts with next. */
function given(node: string, version: string): void {
	const manifest = encodeManifest({
		...{ format: 1, version, raftd: "0.1.0", app: null, runtime: null },
		machine: { name: "kv", reads: [1, 1], writes: 1 },
	});
	world.machines.files.set(
		`${world.context.inventory.stateDirectory}/${node}/current/release.json`,
		{ content: Buffer.from(manifest), mode: 0o644 },
	);
}

/** An upgrade of these nodes, each another process by now; without another release, to the one that all run already. */
async function resumed(ids: readonly string[], to = "0.1.0") {
	const { context, cluster } = world;
	const run = {
		...{ context, isResumed: true },
		memo: {
			releases: Object.fromEntries(ids.map((id) => [id, "0.0.9"])),
			processes: Object.fromEntries(
				ids.map((id) => [id, `${id}-${cluster.node(id).process - 1}`]),
			),
		},
		lock: {
			signal: new AbortController().signal,
			requireFresh: async () => undefined,
		},
	} as unknown as Run;
	const operation = upgradeOperation({
		...{ nodes: [], skip: [], soakMs: 0, ownRelease: "9.9.9", archive: null },
		...{ name: "upgrade", text: `upgrade --to ${to}` },
		targets: Object.fromEntries(ids.map((id) => [id, to])),
	});
	const steps = await operation.steps(run);
	const left = await Promise.all(
		steps.map(async (step) =>
			(await step.isDone?.()) === undefined || (await step.isDone?.()) === null
				? [step.id]
				: [],
		),
	);
	return left.flat();
}

describe("an upgrade that is resumed", () => {
	it("puts a node that runs the release, and would start with the former one, back on its way", async () => {
		given("n1", "0.1.0");
		given("n2", "0.0.9");
		given("n3", "0.1.0");
		expect(await resumed(["n1", "n2", "n3"])).toEqual(["n2/relink"]);
	});

	it("does not take a node for upgraded that died and was started again with what it ran before", async () => {
		for (const id of ["n1", "n2"]) given(id, "0.1.0");
		const left = await resumed(["n1", "n2"], "0.2.0");
		expect(left).toContain("n1/restart");
		expect(left).toContain("n2/restart");
	});

	it("leaves a node alone that it was not begun for, though the cluster file of whoever resumes has it", async () => {
		given("n1", "0.1.0");
		given("n2", "0.1.0");
		expect(await resumed(["n1", "n2"])).toEqual([]);
	});
});
