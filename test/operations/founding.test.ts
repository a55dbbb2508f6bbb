import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { refuseSecondFounding } from "../../src/operations/founding.js";
import { type Operating, operating } from "./operating.js";

/** Three nodes, of which those named have data; all of these run. */
function withData(...ids: string[]): Operating {
	const world = operating();
	for (const node of world.context.inventory.nodes) {
		if (!ids.includes(node.id)) world.cluster.node(node.id).running = false;
		else
			world.machines.files.set(`${node.dataDirectory}/identity.json`, {
				...{ content: Buffer.from("{}"), mode: 0o600 },
			});
	}
	return world;
}

async function refusalOf({ context }: Operating): Promise<OperatorError> {
	const error = await refuseSecondFounding(context).catch((e: unknown) => e);
	expect(error).toBeInstanceOf(OperatorError);
	expect((error as OperatorError).kind).toBe("refused");
	return error as OperatorError;
}

describe("founding a cluster", () => {
	it("is let be where no node has data, or all have", async () => {
		await refuseSecondFounding(withData().context);
		await refuseSecondFounding(withData("n1", "n2", "n3").context);
	});

	it("may be finished by a founder that nobody has met yet", async () => {
		const world = withData("n1", "n2");
		world.cluster.unmet.add("n3");
		await refuseSecondFounding(world.context);
	});

	it("is refused to members whose disks are gone: with enough of them they would elect a leader that knows nothing (P31)", async () => {
		const { problems } = await refusalOf(withData("n1"));
		expect(problems).toEqual([
			"n2 is a member, and its data directory is gone or empty",
			"n3 is a member, and its data directory is gone or empty",
		]);
	});

	it("is refused to a node that is not a member of the cluster that runs", async () => {
		const world = withData("n1", "n2");
		world.cluster.nodes.delete("n3");
		const { problems } = await refusalOf(world);
		expect(problems).toEqual([
			"n3 is not a member of the cluster that runs already",
		]);
	});

	it("is refused to a quorum where nobody runs who could tell", async () => {
		const world = withData("n1");
		world.cluster.node("n1").running = false;
		await refusalOf(world);
	});

	it("is let be to a minority where nobody runs: it can elect nobody", async () => {
		const world = withData("n1", "n2");
		for (const id of ["n1", "n2"]) world.cluster.node(id).running = false;
		await refuseSecondFounding(world.context);
	});
});
