import { rm } from "node:fs/promises";
import { afterEach, expect, it } from "vitest";
import { LocalCluster } from "./local-cluster.js";

let cluster: LocalCluster;
afterEach(() => cluster.dispose());

it("a cluster whose data is gone on every node is not founded anew, unless it was destroyed", async () => {
	cluster = await LocalCluster.create({ portBase: 25_900 });
	await cluster.succeed(["up"]);
	await cluster.succeed(["kv", "put", "a", "1"]);
	const ids = ["n1", "n2", "n3"];
	const data = await Promise.all(ids.map((id) => cluster.dataOf(id)));
	await cluster.succeed(["down", "--yes"]);
	await cluster.succeed(["up"]);
	await cluster.succeed(["down", "--yes"]);
	for (const path of data) await rm(path, { recursive: true });
	for (const argv of [["up"], ["up", "--dry-run"]]) {
		const { exitCode, stderr } = await cluster.run(argv);
		expect(exitCode).toBe(11);
		expect(stderr).toContain("would found an empty cluster in its place");
		for (const path of data) expect(stderr).toContain(path);
		expect(stderr).toContain("raftctl destroy -c cluster.yaml");
	}
	const name = `e2e-${cluster.portBase}`;
	await cluster.succeed(["destroy", "--cluster-name", name, "--yes"]);
	await cluster.succeed(["up"]);
	expect((await cluster.json(["kv", "list"])).items).toEqual([]);
}, 120_000);
