import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { release } from "../../src/daemon/release.js";
import { freePort } from "./free-port.js";
import { raftdGround } from "./raftd-ground.js";
import { type NodeFile, probe, Raftd, writeCluster } from "./raftd-process.js";

const ground = raftdGround();

describe("raftd on the command line", () => {
	it("says its version and its usage", async () => {
		const version = await new Raftd(["--version"]).ended;
		expect(version).toMatchObject({ code: 0, stdout: `${release}\n` });
		const help = await new Raftd(["--help"]).ended;
		expect(help.code).toBe(0);
		expect(help.stdout).toContain("--config FILE");
	});

	it("refuses flags that it does not know, and a start without a configuration", async () => {
		const unknown = await new Raftd(["--conf", "x"]).ended;
		expect(unknown.code).toBe(2);
		expect(unknown.stderr).toContain("--conf");
		const none = await new Raftd([]).ended;
		expect(none.code).toBe(2);
		expect(none.stderr).toContain("\nNext: raftd --config node.yaml\n");
	});

	it("names every mistake in the configuration with its place", async () => {
		const path = join(ground.directory, "node.yaml");
		writeFileSync(path, "node: n1\ndata: relative\n");
		const { code, stderr } = await new Raftd(["--config", path]).ended;
		expect(code).toBe(2);
		expect(stderr).toContain(`${path}:2:7 data must be an absolute path`);
	});

	it("refuses an application that is no state machine", async () => {
		const app = join(ground.directory, "app.mjs");
		writeFileSync(app, "export default { name: 'half' };");
		const { code, stderr } = await ground.start(
			await ground.single(),
			"--app",
			app,
		).ended;
		expect(code).toBe(2);
		expect(stderr).toContain("create is not a function");
	});
});

describe("a data directory", () => {
	it("in use by another raftd is refused, and the other goes on", async () => {
		const node = await ground.single();
		await ground.startReady(node);
		const { code, stderr } = await ground.start(node).ended;
		expect(code).toBe(13);
		expect(stderr).toContain(`${node.data} is in use by process`);
		expect(await probe(node, "/readyz")).toBe(200);
	});

	it("of another node or cluster is refused", async () => {
		const node = await ground.single();
		const first = await ground.startReady(node);
		first.kill("SIGTERM");
		expect((await first.ended).code).toBe(0);
		const [other] = await writeCluster(
			join(ground.directory, "other"),
			["n1"],
			{
				cluster: { id: "c-other", name: "other" },
				data: node.data,
			},
		);
		const { code, stderr } = await ground.start(other as NodeFile).ended;
		expect(code).toBe(11);
		expect(stderr).toContain("belongs to cluster c-test, not to c-other");
		expect(stderr).toContain("Next: set data");
	});

	it("that has lost its log is refused, as the node has forgotten its votes", async () => {
		const node = await ground.single();
		const first = await ground.startReady(node);
		first.kill("SIGTERM");
		await first.ended;
		rmSync(join(node.data, "wal"), { recursive: true });
		const { code, stderr } = await ground.start(node).ended;
		expect(code).toBe(11);
		expect(stderr).toContain("the log of node n1 is gone");
	});

	it("that is a file is refused with a sentence", async () => {
		const node = await ground.single();
		writeFileSync(node.data, "");
		const { code, stderr } = await ground.start(node).ended;
		expect(code).toBe(11);
		expect(stderr).toContain(`is not a directory: ${node.data}`);
	});
});

describe("an address in use", () => {
	it.each(["peer", "client", "admin", "agent"] as const)(
		"is named with its key: listen.%s",
		async (key) => {
			const [node] = await writeCluster(ground.directory, ["n1"]);
			if (node === undefined) throw new Error("no node was written");
			const agent = `127.0.0.1:${await freePort()}`;
			const taken = key === "agent" ? agent : node[key];
			const [host, port] = taken.split(":");
			const blocker = createServer();
			await new Promise<void>((resolve) =>
				blocker.listen(Number(port), host, () => resolve()),
			);
			const text = readFileSync(node.path, "utf8");
			writeFileSync(
				node.path,
				text.replace("listen:\n", `listen:\n  agent: ${agent}\n`),
			);
			const { code, stderr } = await ground.start(node).ended;
			blocker.close();
			expect(code).toBe(11);
			expect(stderr).toContain(
				`cannot listen on ${taken} (listen.${key}): another process listens there`,
			);
		},
	);
});
