import { describe, expect, it } from "vitest";
import { diffText } from "../../src/cli/diff-table.js";
import { diff } from "../../src/operations/diff.js";
import { up } from "../../src/operations/up.js";
import { inventoryOf, type Operating, operating } from "./operating.js";

const three = { n1: "voter", n2: "voter", n3: "voter" } as const;

/** The file has n4 already, and the operation that adds it is not finished. */
function halfAdded(more: object = {}): Operating {
	const world = operating(three);
	world.cluster.hasDisks = true;
	for (const node of world.cluster.nodes.values()) node.incarnation = "i1";
	world.cluster.operations = [
		{
			...{ id: "t1-a", unfinished: true, pauseRequested: false },
			...{ beganAtMs: 0, updatedAtMs: 0 },
			record: JSON.stringify({
				...{ version: 1, id: "t1-a", operation: "add-learner" },
				...{ text: "add-learner n4", state: "stopped", step: "n4/join" },
				attempts: [{ as: "begin", holder: "bob@ci:7", atMs: 0 }],
				...more,
			}),
		},
	];
	return world;
}

function diffOf({ context }: Operating) {
	const { nodes } = inventoryOf({ ...three, n4: "learner" });
	return diff({ ...context, inventory: { ...context.inventory, nodes } });
}

function warningsOf({ events }: Operating): readonly string[] {
	return events.flatMap((event) =>
		event.type === "warning" ? [event.message] : [],
	);
}

const resume = "raftctl operation resume -c cluster.yaml";
const abort = "raftctl operation abort -c cluster.yaml";

describe("an operation that is not finished", () => {
	it("comes first in all that diff says to do", async () => {
		const report = await diffOf(halfAdded());
		const about = report.differences.find(({ node }) => node === "n4");
		expect(about?.next).toEqual([resume, abort]);
		expect(report.unfinished).toEqual({
			...{ id: "t1-a", text: "add-learner n4", state: "stopped" },
		});
		expect(diffText(report)).toContain(
			'"add-learner n4" is not finished (stopped), and comes first:',
		);
	});

	it("is only shown by diff while somebody has it in hand", async () => {
		const world = halfAdded({ state: "running" });
		world.cluster.lock = {
			...{ holder: "bob@ci:7", host: "ci", nonce: "", step: "" },
			...{ operation: "add-learner n4", fencingToken: 1 },
			...{ acquiredAtMs: 0, expiresAtMs: 20_000 },
		};
		const { differences } = await diffOf(world);
		expect(differences.find(({ node }) => node === "n4")?.next).toEqual([
			"raftctl operation show -c cluster.yaml",
		]);
	});

	it("does not come first when it lapses", async () => {
		const world = halfAdded({ state: "running", lapses: true });
		const { differences, unfinished } = await diffOf(world);
		expect(unfinished).toBeNull();
		expect(differences.find(({ node }) => node === "n4")?.next[0]).toBe(
			"raftctl add-learner n4 -c cluster.yaml",
		);
	});

	it("is what up says to do, and not to begin another", async () => {
		const world = halfAdded();
		const { nodes } = inventoryOf({ ...three, n4: "learner" });
		world.cluster.addProgram("n4");
		const { context } = world;
		const inventory = { ...context.inventory, nodes };
		const { notMembers } = await up({ ...context, inventory });
		expect(notMembers).toEqual(["n4"]);
		const warnings = warningsOf(world).join("\n");
		expect(warnings).toContain(
			`"add-learner n4" is not finished (stopped): first ${resume} goes on with it, or ${abort} gives it up`,
		);
		expect(warnings).toContain("let be; that comes first");
		expect(warnings).not.toContain("raftctl add-learner n4");
	});
});
