import { describe, expect, it } from "vitest";
import type { NodeStatus } from "../../../src/cluster/engine.js";
import type { ClusterFacts } from "../../../src/cluster/facts.js";
import { lookAtCluster } from "../../../src/operations/context.js";
import {
	releaseFaults,
	writeLevelOf,
} from "../../../src/operations/upgrade/admission.js";
import { finalizeVerdict } from "../../../src/operations/upgrade/verdict.js";
import { operating } from "../operating.js";

const nodes = ["n1", "n2", "n3"].map((id) => ({ id }));

type Levels = readonly [first: number, last: number, writes: number];

/** Three voters, n1 leads; null: does not answer. */
async function facts(
	levels: Readonly<Record<string, Levels | null>>,
	writeLevel: number | null = null,
): Promise<ClusterFacts> {
	const world = operating();
	await world.clock.sleep(5000);
	const seen = await lookAtCluster(world.context);
	return {
		nodes: seen.nodes.map((node) => {
			const own = levels[node.id];
			if (own === undefined || node.status === null)
				throw new Error(`no levels of ${node.id}`);
			if (own === null)
				return { id: node.id, status: null, fault: "does not answer" };
			const [readsFrom, readsTo, writes] = own;
			const status: NodeStatus = {
				...node.status,
				levels: { readsFrom, readsTo, writes },
				writeLevel:
					writeLevel === null ? null : { level: writeLevel, release: "1" },
			};
			return { ...node, status };
		}) as ClusterFacts["nodes"],
	};
}

const former: Levels = [1, 1, 1];
const newer: Levels = [1, 2, 2];

describe("an upgrade", () => {
	it("can be finalized once every member reads what the newest writes", async () => {
		const all = await facts({ n1: newer, n2: newer, n3: newer }, 1);
		expect(finalizeVerdict(all, nodes)).toEqual({ kind: "possible", level: 2 });
	});

	it("writes the lowest level that its leader reads until another was set", async () => {
		const all = await facts({ n1: newer, n2: former, n3: former });
		expect(writeLevelOf(all)).toBe(1);
	});

	it("has nothing to finalize when that is written already, or nobody writes more", async () => {
		const done = await facts({ n1: newer, n2: newer, n3: newer }, 2);
		expect(finalizeVerdict(done, nodes)).toEqual({ kind: "nothing", level: 2 });
		const old = await facts({ n1: former, n2: former, n3: former });
		expect(finalizeVerdict(old, nodes)).toEqual({ kind: "nothing", level: 1 });
	});

	it.each([
		["reads less", { n1: newer, n2: newer, n3: former }, /n3 .*up to level 1/],
		["is silent", { n1: newer, n2: newer, n3: null }, /n3 does not answer/],
	])(
		"cannot be finalized while a member %s, who is named",
		async (_, levels, words) => {
			const verdict = finalizeVerdict(await facts(levels, 1), nodes);
			expect(verdict).toMatchObject({
				kind: "refused",
				reasons: [expect.stringMatching(words)],
			});
		},
	);

	it("cannot be finalized with a member that the cluster file does not know", async () => {
		const all = await facts({ n1: newer, n2: newer, n3: newer }, 1);
		expect(finalizeVerdict(all, nodes.slice(0, 2))).toMatchObject({
			kind: "refused",
			reasons: [expect.stringContaining("n3 is a member and not in")],
		});
	});

	it("without a confirmed leader is not judged", async () => {
		const lonely = await facts({ n1: newer, n2: null, n3: null }, 1);
		expect(writeLevelOf(lonely)).toBeNull();
		expect(finalizeVerdict(lonely, nodes)).toMatchObject({ kind: "refused" });
	});

	it("is refused for a release that cannot read what is written, or has another machine", async () => {
		const all = await facts({ n1: newer, n2: newer, n3: newer }, 2);
		const release = (name: string, reads: [number, number]) => ({
			...{
				format: 1,
				version: "0.9",
				raftd: "0.1.0",
				app: null,
				runtime: null,
			},
			machine: { name, reads, writes: reads[1] },
		});
		const faults = releaseFaults(
			all,
			new Map([
				["n1", release("kv", [1, 2])],
				["n2", release("kv", [1, 1])],
				["n3", release("bank", [2, 3])],
			]),
		);
		expect(faults).toEqual([
			expect.stringMatching(/level 2; 0.9, for n2, reads 1$/),
			expect.stringMatching(/n3 runs the machine "kv".*"bank"/),
		]);
	});
});
