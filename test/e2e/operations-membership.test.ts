import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTraffic } from "../../src/operations/demo/traffic.js";
import { eventually, LocalCluster, type Outcome } from "./local-cluster.js";

/** The commands that change the members, on real processes behind the real balancer; each test goes on from the last. */
describe("the members of a real cluster", () => {
	let cluster: LocalCluster;
	beforeAll(async () => {
		cluster = await LocalCluster.create({ portBase: 18_300 });
		await cluster.succeed(["up"]);
	});
	afterAll(() => cluster?.dispose());

	const load = async () =>
		startTraffic({
			address: `127.0.0.1:${cluster.portBase}`,
			writers: 4,
			readers: 2,
			timeoutMs: 10_000,
			nowMs: () => performance.now(),
		});

	async function members(): Promise<Record<string, string>> {
		const { nodes } = await cluster.json(["status"]);
		return Object.fromEntries(
			nodes.map(({ id, member }: { id: string; member: string }) => [
				...[id, member],
			]),
		);
	}

	async function expectHealthy(): Promise<void> {
		await eventually(
			async () => (await cluster.run(["health"])).exitCode === 0,
			"a healthy cluster",
		);
		expect(
			(await cluster.run(["operation", "resume", "--yes"])).stderr,
		).toMatch(/no operation is unfinished/);
	}

	const refusal = ({ exitCode, stdout }: Outcome) => ({
		...{ exitCode, ...JSON.parse(stdout).error },
	});

	it("take a fourth node in that votes in the end; the file's comments stay", async () => {
		const before = await readFile(cluster.file, "utf8");
		const report = await cluster.json([
			"add-learner",
			"n4",
			"--promote",
			"--yes",
		]);
		expect(report.changes).toEqual(["add n4", "promote n4"]);
		expect(report.agreeing).toEqual(["n1", "n2", "n3", "n4"]);
		const after = await readFile(cluster.file, "utf8");
		expect(after).toBe(before.replace("n3]", "n3, n4]"));
		await expectHealthy();
	});

	it("replace a dead node under load, and no request fails", async () => {
		const traffic = await load();
		await eventually(
			async () => traffic.acknowledged.length > 50,
			"the first writes",
		);
		const { leader } = await cluster.json(["status"]);
		const dead = ["n3", "n4"].find((id) => id !== leader) ?? "";
		await cluster.signal(dead, "SIGKILL");
		// Connections through the dead process end with it: that is the kill's doing, and over soon.
		const atKill = traffic.acknowledged.length;
		await eventually(
			async () => traffic.acknowledged.length > atKill + 200,
			"writes without the dead node",
		);
		const failedByTheKill = traffic.failures.length;
		const report = await cluster.json(["replace-node", dead, "n5", "--yes"]);
		expect(report.changes[0]).toBe("add n5");
		expect(report.changes.slice(1).sort()).toEqual([
			...["promote n5", `remove ${dead}`],
		]);
		const before = traffic.acknowledged.length;
		await eventually(
			async () => traffic.acknowledged.length > before + 50,
			"more writes",
		);
		await traffic.stop();
		expect(traffic.failures.slice(failedByTheKill)).toEqual([]);
		expect((await members())[dead]).toBeUndefined();
		await expectHealthy();
	});

	it("let the leader be removed under load, and no request fails", async () => {
		const { leader } = await cluster.json(["status"]);
		const traffic = await load();
		await eventually(
			async () => traffic.acknowledged.length > 50,
			"the first writes",
		);
		const report = await cluster.json(["remove-node", leader, "--yes"]);
		await traffic.stop();
		expect(traffic.failures).toEqual([]);
		expect(report.transfers).toHaveLength(1);
		expect(report.snapshot.node).not.toBe(leader);
		expect(Object.values(await members())).toEqual(["voter", "voter", "voter"]);
		await expectHealthy();
	});

	it("refuse to take a former member in again with its old data", async () => {
		const gone = ["n1", "n2", "n3", "n4"];
		const present = Object.keys(await members());
		const former = gone.find((id) => !present.includes(id)) ?? "";
		const { exitCode, message, next } = refusal(
			await cluster.run(["add-learner", former, "--yes", "--json"]),
		);
		expect(exitCode).toBe(11);
		expect(message).toContain("it has a log already");
		expect(next).toContain("mv ");
		await expectHealthy();
	});

	it("refuse to lose a voter while another is down, and name that one", async () => {
		const { leader, nodes } = await cluster.json(["status"]);
		const [down, other] = nodes
			.map(({ id }: { id: string }) => id)
			.filter((id: string) => id !== leader);
		await cluster.signal(down, "SIGKILL");
		for (const argv of [
			["remove-node", other],
			["demote", other],
			["reset-node", other],
		]) {
			const { exitCode, message, next } = refusal(
				await cluster.run([...argv, "--yes", "--json"]),
			);
			expect([argv, exitCode]).toEqual([argv, 11]);
			expect(message).toContain(down);
			expect(next).toContain("raftctl up");
		}
		await cluster.succeed(["up"]);
		await expectHealthy();
	});

	it("give a node an empty disk although its operator is killed on the way", async () => {
		const { leader, nodes } = await cluster.json(["status"]);
		const id = nodes.find((node: { id: string }) => node.id !== leader).id;
		const before = await incarnationOf(id);
		const { child, done } = cluster.start([
			...["reset-node", id, "--yes", "-o", "ndjson"],
		]);
		child.stdout?.on("data", (chunk: Buffer) => {
			if (String(chunk).includes(`"step-started","step":"${id}/wipe"`))
				child.kill("SIGKILL");
		});
		await done;
		await cluster.releaseLock();
		await cluster.succeed(["operation", "resume", "--yes"]);
		expect(await incarnationOf(id)).not.toBe(before);
		expect((await members())[id]).toBe("voter");
		await expectHealthy();
	});

	it.each([
		["n8", "step-started", "n8/catch-up", "resume", "is done"],
		["n9", "step-finished", "n9/promote", "abort", "nothing is half done"],
	] as const)(
		"start %s again, which died with its operator",
		async (id, type, step, as, ending) => {
			const { child, done } = cluster.start([
				...["add-learner", id, "--promote", "--yes", "-o", "ndjson"],
			]);
			child.stdout?.on("data", (chunk: Buffer) => {
				if (!String(chunk).includes(`"${type}","step":"${step}"`)) return;
				child.kill("SIGKILL");
			});
			await done;
			await cluster.releaseLock();
			await cluster.signal(id, "SIGKILL");
			const { stdout } = await cluster.succeed(["operation", as, "--yes"]);
			expect(stdout).toContain(ending);
			expect(stdout).toMatch(new RegExp(`^${id} +voter +yes$`, "m"));
			await expectHealthy();
		},
	);

	async function incarnationOf(id: string): Promise<string> {
		const number = Number(id.slice(1));
		const admin = cluster.portBase + 10 * number + 2;
		const answer = await fetch(
			`http://127.0.0.1:${admin}/raftctl.admin.v1.AdminService/GetStatus`,
			{
				method: "POST",
				headers: { "content-type": "application/json" },
				body: "{}",
			},
		);
		return ((await answer.json()) as { incarnation: string }).incarnation;
	}
});
