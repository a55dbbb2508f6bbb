import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import {
	judgeFounding,
	judgeUndecided,
} from "../../src/operations/founding.js";
import { failureOf, type Operating, operating } from "./operating.js";

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
	const error = await judgeFounding(context).catch((e: unknown) => e);
	expect(error).toBeInstanceOf(OperatorError);
	expect((error as OperatorError).kind).toBe("refused");
	return error as OperatorError;
}

/** The ids that are judged so. */
async function judged({ context }: Operating) {
	const founding = await judgeFounding(context);
	const ids = (nodes: readonly { readonly id: string }[]) =>
		nodes.map(({ id }) => id).join(" ");
	return {
		starts: ids(founding.starts),
		founders: ids(founding.founders),
		undecided: ids(founding.undecided),
		strangers: ids(founding.strangers),
	};
}

const nobody = { founders: "", undecided: "", strangers: "" };

describe("founding a cluster", () => {
	it("is for all where no node has data, and for none where all have", async () => {
		expect(await judged(withData())).toEqual({
			...{ ...nobody, starts: "n1 n2 n3", founders: "n1 n2 n3" },
		});
		expect(await judged(withData("n1", "n2", "n3"))).toEqual({
			...{ ...nobody, starts: "n1 n2 n3" },
		});
	});

	it("is refused where the cluster was up once and all data is gone: its disks may only not be mounted", async () => {
		const world = withData();
		const { files } = world.machines;
		const mark = (id: string) => ({
			...{ content: Buffer.from(`${id}\n`), mode: 0o600 },
		});
		files.set("/state/n2/founded", mark("another"));
		expect(await judged(world)).toMatchObject({ founders: "n1 n2 n3" });
		files.set("/state/n2/founded", mark("c1"));
		const { message, problems, state, next } = await refusalOf(world);
		expect(message).toContain("would found an empty cluster in its place");
		expect(problems).toEqual([
			"n2 was up in this cluster, and /data/n2 has no data of a node: is its disk mounted?",
		]);
		expect(state).toBe("nothing was started");
		for (const way of ["raftctl snapshot restore FILE", "raftctl destroy"])
			expect(next).toContain(way);
	});

	it("may be finished by a founder that nobody has met yet", async () => {
		const world = withData("n1", "n2");
		world.cluster.unmet.add("n3");
		expect(await judged(world)).toEqual({
			...{ ...nobody, starts: "n1 n2 n3", founders: "n3" },
		});
	});

	it("is refused to members whose disks are gone: with enough of them they would elect a leader that knows nothing (P31)", async () => {
		const { problems, next } = await refusalOf(withData("n1"));
		expect(problems).toEqual([
			"n2 is a member, and its data directory is gone or empty",
			"n3 is a member, and its data directory is gone or empty",
		]);
		expect(next).toContain("raftctl reset-node n2");
	});

	it("is not for a node that is no member of the cluster that runs: it is let be, the others start", async () => {
		const world = withData("n1", "n2");
		world.cluster.nodes.delete("n3");
		expect(await judged(world)).toEqual({
			...{ ...nobody, starts: "n1 n2", strangers: "n3" },
		});
	});

	it("lets be, by a quorum's word alone, what has data and is no member", async () => {
		const world = withData("n1", "n2", "n3");
		world.cluster.node("n3").role = null;
		expect(await judged(world)).toMatchObject({ strangers: "n3" });
		world.cluster.stop("n2");
		world.cluster.leader = null;
		expect(await judged(world)).toEqual({ ...nobody, starts: "n1 n2 n3" });
	});

	it("is decided later where nobody runs who could tell; who only waits to be added cannot", async () => {
		const world = withData("n1", "n2");
		for (const id of ["n1", "n2"]) world.cluster.node(id).running = false;
		const later = { ...nobody, starts: "n1 n2", undecided: "n3" };
		expect(await judged(world)).toEqual(later);
		world.cluster.node("n2").role = null;
		world.cluster.node("n2").running = true;
		expect(await judged(world)).toEqual(later);
	});

	it("is not finished with so many that they need nobody who has data", async () => {
		const world = withData("n1");
		world.cluster.unmet.add("n2").add("n3");
		const [, n2, n3] = world.context.inventory.nodes;
		if (n2 === undefined || n3 === undefined) throw new Error("no such nodes");
		const error = await failureOf(judgeUndecided(world.context, [n2, n3]));
		expect(error.kind).toBe("refused");
		const { founders } = await judgeUndecided(world.context, [n3]);
		expect(founders).toHaveLength(2);
	});
});
