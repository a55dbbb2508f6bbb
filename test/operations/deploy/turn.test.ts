import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseInventory } from "../../../src/config/load.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { deploy, planDeploy } from "../../../src/operations/deploy/deploy.js";
import { withHostLock } from "../../../src/operations/journal/host-lock.js";
import { FakeFiles, succeeded } from "../../fakes/fake-files.js";
import { failureOf, operating } from "../operating.js";

const inventory = parseInventory(
	`name: orders
id: orders-1
hosts: { h1: 10.0.0.1 }
nodes: [{ id: n1, host: h1 }]
`,
	{ source: "cluster.yaml", directory: "/desk" },
);
const wish = { release: null, nodes: [] };

/** One host that was deployed to, and has neither its unit nor its node started. */
function preparedHost(): FakeFiles {
	const files = new FakeFiles();
	const { user } = inventory.deploy;
	const survey = [
		...["uid 0", "login root", "kernel Linux", "arch x86_64", "systemd 252"],
		...["node v20.19.2", "account raftd", "parent root root 755"],
		...["directory root root 755", `state ${user} raftd 750`],
		...["freeForReleases 1000000000", "freeForState 1000000000"],
		...["release 1.0", "node.current n1 1.0"],
	];
	files.program = (argv) =>
		argv.includes("survey") ? succeeded(survey.join("\n")) : null;
	files.files.set(
		`${inventory.deploy.directory}/releases/1.0/release.json`,
		JSON.stringify({
			...{ format: 1, version: "1.0", raftd: "0.1.0", app: null },
			...{ machine: { name: "kv", reads: [1, 1], writes: 1 }, runtime: null },
		}),
	);
	return files;
}

function operatorOf(files: FakeFiles, holder: string): OperationContext {
	const { context } = operating();
	return {
		...{ ...context, inventory, balancer: null },
		holder: { holder, host: "desk" },
		machines: { ...context.machines, host: async (name) => files.host(name) },
		programs: {
			...context.programs,
			raftd: resolve(import.meta.dirname, "../../../dist/src/daemon/main.js"),
		},
	};
}

describe("a deploy to hosts that somebody works on", () => {
	it("is refused before anybody is asked and anything is made, and so is its plan", async () => {
		const files = preparedHost();
		const bob = operatorOf(files, "bob@desk:2");
		const ann = { ...operatorOf(files, "ann@desk:1"), clock: bob.clock };
		const asked: string[] = [];
		const confirm = async () => void asked.push("set them up?");
		const held = { operation: "snapshot restore", lockWaitMs: 0 };
		await withHostLock(bob, held, async () => {
			const options = { lockWaitMs: 0, confirm };
			const failure = await failureOf(deploy(ann, wish, options));
			expect(failure).toMatchObject({
				...{ kind: "locked", message: expect.stringContaining("bob@desk:2") },
			});
			const plan = await failureOf(planDeploy(ann, wish));
			expect(plan.kind).toBe("locked");
		});
		expect(asked).toEqual([]);
		const made = files.log.filter((line) => line.includes("/system/$1"));
		expect(made).toEqual([]);
		expect((await planDeploy(ann, wish)).plan.map(({ id }) => id)).toContain(
			"n1/unit",
		);
	});
});
