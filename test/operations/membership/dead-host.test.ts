import { expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { removeNode } from "../../../src/operations/membership/remove-node.js";
import { replaceNode } from "../../../src/operations/membership/replace-node.js";
import type { Operating } from "../operating.js";
import { changing, five, rolesOf, run, three } from "./changing.js";

/** n3 is on a machine that is gone: neither it nor its systemd can be asked. */
function without(world: Operating, isNodeUp = false): Operating {
	const { context } = world;
	const { inventory, machines } = context;
	const silent = () =>
		Promise.reject(
			new OperatorError("unreachable", "h3 does not answer", { node: "h3" }),
		);
	if (!isNodeUp) world.cluster.stop("n3");
	const nodes = inventory.nodes.map((node) =>
		node.id === "n3" ? { ...node, host: "h3" } : node,
	);
	return Object.assign(world, {
		context: {
			...context,
			inventory: { ...inventory, nodes },
			machines: {
				host: (name: string) =>
					name === "h3" ? silent() : machines.host(name),
				async service(spec: Parameters<typeof machines.service>[0]) {
					const service = await machines.service(spec);
					return spec.host === "h3"
						? { ...service, state: silent, stop: silent }
						: service;
				},
			},
		},
	});
}

it("removes a node whose machine is gone, and says what is to be done when that comes back", async () => {
	const world = without(changing(five));
	const { notes } = await run(world, () =>
		removeNode({ node: "n3", skip: [] }),
	);
	const { n3, ...others } = five;
	expect(rolesOf(world)).toEqual(others);
	expect(notes.join()).toContain(
		"h3 does not answer: if it comes back, n3 is to be stopped there, and must not start with it",
	);
});

it("replaces a node whose machine is gone", async () => {
	const world = without(changing(three, ["n4"]));
	await run(world, () =>
		replaceNode({ old: "n3", new: "n4", given: {}, skip: [] }),
	);
	expect(rolesOf(world)).toEqual({ n1: "voter", n2: "voter", n4: "voter" });
});

it("does not begin to remove a node that runs where nobody can stop it", async () => {
	const world = without(changing(five), true);
	const removal = run(world, () => removeNode({ node: "n3", skip: [] }));
	await expect(removal).rejects.toMatchObject({ kind: "unreachable" });
	expect(rolesOf(world)).toEqual(five);
});
