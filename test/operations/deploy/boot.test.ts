import { describe, expect, it } from "vitest";
import type { NodeEntry } from "../../../src/config/inventory.js";
import { bootStep } from "../../../src/operations/deploy/boot.js";
import type {
	Found,
	NodeFiles,
} from "../../../src/operations/deploy/survey.js";
import { parseSurvey } from "../../../src/operations/deploy/survey-script.js";
import { joins } from "../../../src/operations/node-config.js";
import { writeNodeConfig } from "../../../src/operations/node-service.js";
import { type Operating, operating } from "../operating.js";

const path = "/state/n3/node.yaml";

function third({ context }: Operating): NodeEntry {
	const node = context.inventory.nodes.find(({ id }) => id === "n3");
	if (node === undefined) throw new Error("there is a third");
	return node;
}

function stepFor(
	world: Operating,
	files: Partial<NodeFiles> = {},
	startsAtBoot = false,
) {
	const node = third(world);
	const lines = startsAtBoot ? "node.UnitFileState n3 enabled" : "";
	const found: Found = {
		...{ host: "local", nodes: [node] },
		survey: parseSurvey(lines, ["n3"]),
		files: new Map([
			[
				"n3",
				{
					...{ clusterIds: [], hasConfig: true, isStale: false, joins: false },
					...{ hasData: true, dataFault: null, ...files },
				},
			],
		]),
	};
	return bootStep(world.context, found, node);
}

const run = (world: Operating, files: Partial<NodeFiles> = {}) =>
	stepFor(world, files).run(world.context.signal, () => undefined);

const isEnabled = ({ machines }: Operating) =>
	machines.log.some((line) => line.endsWith("deploy raftd-test-n3.service"));

const itJoins = ({ machines }: Operating) =>
	joins(machines.files.get(path)?.content ?? null);

describe("a node that is to start with its host (P31)", () => {
	it("is told first that it joins, so that without its disk it founds nothing", async () => {
		const world = operating();
		await writeNodeConfig(world.context, third(world), { founds: true });
		expect(await itJoins(world)).toBe(false);
		await run(world);
		expect(await itJoins(world)).toBe(true);
		expect(isEnabled(world)).toBe(true);
		const after = world.machines.files.get(path)?.content;
		// What a later start writes is the same: nothing changes any more.
		expect(await writeNodeConfig(world.context, third(world))).toBe(false);
		expect(world.machines.files.get(path)?.content).toEqual(after);
	});

	it("is not started by a machine while nobody has met it", async () => {
		const world = operating();
		world.cluster.unmet.add("n3");
		await writeNodeConfig(world.context, third(world), { founds: true });
		await expect(run(world)).rejects.toMatchObject({
			...{ kind: "timeout", node: "n3" },
			message: expect.stringContaining("nobody has met it yet"),
		});
		expect(await itJoins(world)).toBe(false);
		expect(isEnabled(world)).toBe(false);
	});

	it("is so as soon as a quorum says who leads, and has met it", async () => {
		const world = operating();
		await writeNodeConfig(world.context, third(world), { founds: true });
		world.cluster.unmet.add("n3");
		const done = run(world);
		await world.clock.sleep(3_000);
		world.cluster.unmet.delete("n3");
		await done;
		expect(isEnabled(world)).toBe(true);
	});

	it("may be one without a configuration: what adds it writes one that joins", async () => {
		const world = operating();
		await run(world, { hasConfig: false });
		expect(isEnabled(world)).toBe(true);
		expect(world.machines.files.has(path)).toBe(false);
	});

	it("needs nothing more once it is so", async () => {
		const world = operating();
		const isDone = (files: Partial<NodeFiles>, startsAtBoot: boolean) =>
			stepFor(world, files, startsAtBoot).isDone?.();
		expect(await isDone({ joins: true }, true)).not.toBeNull();
		expect(await isDone({ hasConfig: false }, true)).not.toBeNull();
		expect(await isDone({ joins: false }, true)).toBeNull();
		expect(await isDone({ joins: true }, false)).toBeNull();
	});
});
