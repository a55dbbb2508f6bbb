import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OperationCost } from "../../src/operations/cost/cost.js";
import { eventually, LocalCluster } from "./local-cluster.js";

const nodes = ["n1", "n2", "n3"];
type Pids = Readonly<Record<string, number>>;

interface StatusReport {
	readonly leader: string;
	readonly nodes: readonly { readonly draining: boolean }[];
}

/** What a canary sees of real nodes behind the real balancer. */
describe("an operation with a canary", () => {
	let cluster: LocalCluster;
	beforeAll(async () => {
		cluster = await LocalCluster.create({ portBase: 17_900 });
		await cluster.succeed(["up"]);
	});
	afterAll(() => cluster?.dispose());

	const status = (): Promise<StatusReport> => cluster.json(["status"]);
	const pids = async (): Promise<Pids> =>
		Object.fromEntries(
			await Promise.all(
				nodes.map(async (id) => [id, await cluster.pidOf(id)] as const),
			),
		);

	it("that restarts every node has no failed request, and says what it cost", async () => {
		const { cost }: { cost: OperationCost } = await cluster.json([
			...["rolling-restart", "--yes", "--max-failed", "0"],
			...["--report", "roll.xml"],
		]);
		expect(cost.canary?.failures).toEqual([]);
		expect(cost).toMatchObject({ failedRequests: 0, overBudget: false });
		expect(cost.requests).toBeGreaterThan(50);
		expect(cost.canary?.moves).toBeGreaterThan(0);
		expect(cost.connectionsMoved).toBeGreaterThan(0);
		expect(cost.canary?.lostWrites).toEqual([]);
		expect(cost.downtime.map(({ back }) => back)).toEqual([true, true, true]);
		const report = await readFile(join(cluster.directory, "roll.xml"), "utf8");
		expect(report).toContain('failures="0" errors="0"');
		const { items } = await cluster.json(["kv", "list", "raftctl/canary/"]);
		expect(items).toEqual([]);
	});

	it("stops before the next node when a budget is exceeded, and resume does the rest once", async () => {
		const { leader } = await status();
		const before = await pids();
		const { child, done } = cluster.start([
			...["rolling-restart", "--yes", "-o", "ndjson", "--max-stall", "800ms"],
			...["--report", "stopped.md"],
		]);
		let said = "";
		child.stdout?.on("data", (chunk) => {
			said += chunk;
		});
		await eventually(
			async () => /"step-started","step":"n\d\/ready"/.test(said),
			"the first node's new process",
		);
		// Frozen for long enough that the others elect another leader.
		await cluster.signal(leader, "SIGSTOP");
		await eventually(async () => {
			const others = nodes.filter((id) => id !== leader);
			const views = await Promise.all(
				others.map((id) => leaderAt(cluster, id)),
			);
			return views.some((id) => id !== null && id !== leader);
		}, "another leader");
		await cluster.signal(leader, "SIGCONT");
		const { exitCode, stdout } = await done;
		expect(exitCode).toBe(14);
		const error = JSON.parse(stdout.trim().split("\n").at(-1) ?? "").error;
		expect(error.message).toContain("--max-stall");
		const stopped = await pids();
		expect(replaced(before, stopped)).toHaveLength(1);
		const left = (await status()).nodes.filter(({ draining }) => draining);
		expect(left).toEqual([]);
		const report = await readFile(
			join(cluster.directory, "stopped.md"),
			"utf8",
		);
		expect(report).toContain("**Failed** (partial)");
		expect(report).toMatch(/--max-stall \| 800 ms \| .* \| \*\*no\*\*/);

		await cluster.succeed([
			...["operation", "resume", "--yes", "--max-stall", "30s"],
		]);
		const after = await pids();
		expect(replaced(before, after)).toHaveLength(3);
		expect(replaced(stopped, after)).toHaveLength(2);
	}, 120_000);
});

/** Who leads, as that node has it; null when it does not know or answer. */
async function leaderAt(
	cluster: LocalCluster,
	node: string,
): Promise<string | null> {
	const { inventory } = await cluster.json(["validate"]);
	const { client } = inventory.nodes.find(
		({ id }: { id: string }) => id === node,
	);
	try {
		const answer = await fetch(`http://${client}/v1/whoami`, {
			signal: AbortSignal.timeout(1_000),
		});
		return ((await answer.json()) as { leader: string | null }).leader;
	} catch {
		return null;
	}
}

/** Nodes whose process is not the one that it was. */
function replaced(before: Pids, after: Pids): string[] {
	return Object.keys(before).filter((id) => before[id] !== after[id]);
}
