import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { addLearner } from "../../../src/operations/membership/add-learner.js";
import { removeNode } from "../../../src/operations/membership/remove-node.js";
import { replaceNode } from "../../../src/operations/membership/replace-node.js";
import type { Operating } from "../operating.js";
import { changing, rolesOf, run, three } from "./changing.js";

/** Every node starts with its machine, but those that nobody has set up yet. */
function onMachines(world: Operating, may = true) {
	const starting = new Set(["n1", "n2", "n3"]);
	const { context } = world;
	const { machines } = context;
	const service = async (spec: Parameters<typeof machines.service>[0]) => ({
		...(await machines.service(spec)),
		boot: {
			isSet: async () => starting.has(spec.name),
			set: async (starts: boolean) => {
				if (!may) throw new OperatorError("refused", "sudo says no");
				if (starts) starting.add(spec.name);
				else starting.delete(spec.name);
			},
		},
	});
	const host = (name: string) => machines.host(name);
	return Object.assign(world, {
		context: { ...context, machines: { host, service } },
		starting,
	});
}

const replace = () =>
	replaceNode({ old: "n3", new: "n4", given: {}, skip: [] });

describe("with its machine", () => {
	it("a node that was taken out starts no more, and one that was taken in does", async () => {
		const world = onMachines(changing(three, ["n4"]));
		await run(world, replace);
		expect([...world.starting]).toEqual(["n1", "n2", "n4"]);
	});

	it("a node starts again that was taken out and is taken in again", async () => {
		const world = onMachines(changing());
		await run(world, () => removeNode({ node: "n3", skip: [] }));
		expect([...world.starting]).toEqual(["n1", "n2"]);
		world.cluster.wipe("n3");
		await run(world, () =>
			addLearner({ node: "n3", given: {}, promote: false, skip: [] }),
		);
		expect([...world.starting]).toEqual(["n1", "n2", "n3"]);
	});

	it("a node may start still where nobody may change that, which is said", async () => {
		const world = onMachines(changing(three, ["n4"]), false);
		const { notes } = await run(world, replace);
		expect(rolesOf(world)).toEqual({ n1: "voter", n2: "voter", n4: "voter" });
		expect(notes.join()).toMatch(
			/n4 may not start with \S+: sudo says no.*n3 may start with \S+: sudo says no/,
		);
	});
});
