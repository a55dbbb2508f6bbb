import { afterEach, expect, it } from "vitest";
import { LocalCluster, startRaftctl } from "./local-cluster.js";

let cluster: LocalCluster;
afterEach(() => cluster.dispose());

/** For a process and all that it starts: its wall clock is an hour ahead, the other clocks go on as they are. */
const hourAhead = {
	NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
		"const now=Date.now;Date.now=()=>now()+3600000",
	)}`,
};

it("a follower whose clock is an hour ahead ends no operation: another node is asked, and it is named", async () => {
	cluster = await LocalCluster.create({ portBase: 25_700 });
	const { directory } = cluster;
	await cluster.succeed(["up"]);
	await cluster.succeed(["transfer-leader", "n3", "--yes"]);
	// The first one that raftctl asks.
	await cluster.signal("n1", "SIGKILL");
	const up = startRaftctl(["up"], { directory, environment: hourAhead });
	expect((await up.done).exitCode).toBe(0);
	for (const argv of [
		["drain", "--node", "n1", "--for", "60s"],
		["undrain", "--node", "n1"],
		["rolling-restart"],
	]) {
		const { exitCode, stderr } = await cluster.run([...argv, "--yes"]);
		expect([argv, exitCode, stderr]).toEqual([argv, 0, stderr]);
		expect(stderr).toMatch(
			/n1: the lock was not touched: .* (3600|3599) s ahead .*set the clock of n1 right/,
		);
	}
	expect(await cluster.json(["status"])).toMatchObject({ healthy: true });
}, 120_000);
