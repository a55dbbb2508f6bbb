import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { release } from "../../src/daemon/release.js";
import { freePort } from "./free-port.js";
import {
	adminCall,
	ask,
	type NodeFile,
	probe,
	Raftd,
	writeCluster,
} from "./raftd-process.js";

let directory: string;
let running: Raftd[];
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftd-"));
	running = [];
});
afterEach(async () => {
	await Promise.all(running.map((raftd) => raftd.destroy()));
	rmSync(directory, { recursive: true, force: true });
});

function start(node: NodeFile, ...flags: string[]): Raftd {
	const raftd = new Raftd(["--config", node.path, ...flags]);
	running.push(raftd);
	return raftd;
}

async function startReady(node: NodeFile, ...flags: string[]): Promise<Raftd> {
	const raftd = start(node, ...flags);
	await raftd.until(async () => (await probe(node, "/readyz")) === 200);
	return raftd;
}

async function single(changes: Record<string, unknown> = {}) {
	const [node] = await writeCluster(directory, ["n1"], changes);
	if (node === undefined) throw new Error("no node was written");
	return node;
}

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
		expect(none.stderr).toContain("next: raftd --config node.yaml");
	});

	it("names every mistake in the configuration with its place", async () => {
		const path = join(directory, "node.yaml");
		writeFileSync(path, "node: n1\ndata: relative\n");
		const { code, stderr } = await new Raftd(["--config", path]).ended;
		expect(code).toBe(2);
		expect(stderr).toContain(`${path}:2:7 data must be an absolute path`);
	});

	it("refuses an application that is no state machine", async () => {
		const app = join(directory, "app.mjs");
		writeFileSync(app, "export default { name: 'half' };");
		const { code, stderr } = await start(await single(), "--app", app).ended;
		expect(code).toBe(2);
		expect(stderr).toContain("create is not a function");
	});
});

describe("a data directory", () => {
	it("in use by another raftd is refused, and the other goes on", async () => {
		const node = await single();
		await startReady(node);
		const { code, stderr } = await start(node).ended;
		expect(code).toBe(13);
		expect(stderr).toContain(`${node.data} is in use by process`);
		expect(await probe(node, "/readyz")).toBe(200);
	});

	it("of another node or cluster is refused", async () => {
		const node = await single();
		const first = await startReady(node);
		first.kill("SIGTERM");
		expect((await first.ended).code).toBe(0);
		const [other] = await writeCluster(join(directory, "other"), ["n1"], {
			cluster: { id: "c-other", name: "other" },
			data: node.data,
		});
		const { code, stderr } = await start(other as NodeFile).ended;
		expect(code).toBe(11);
		expect(stderr).toContain("belongs to cluster c-test, not to c-other");
		expect(stderr).toContain("next: set data");
	});

	it("that has lost its log is refused, as the node has forgotten its votes", async () => {
		const node = await single();
		const first = await startReady(node);
		first.kill("SIGTERM");
		await first.ended;
		rmSync(join(node.data, "wal"), { recursive: true });
		const { code, stderr } = await start(node).ended;
		expect(code).toBe(11);
		expect(stderr).toContain("the log of node n1 is gone");
	});

	it("that is a file is refused with a sentence", async () => {
		const node = await single();
		writeFileSync(node.data, "");
		const { code, stderr } = await start(node).ended;
		expect(code).toBe(11);
		expect(stderr).toContain(`is not a directory: ${node.data}`);
	});
});

describe("an address in use", () => {
	it.each(["peer", "client", "admin", "agent"] as const)(
		"is named with its key: listen.%s",
		async (key) => {
			const [node] = await writeCluster(directory, ["n1"]);
			if (node === undefined) throw new Error("no node was written");
			const agent = `127.0.0.1:${await freePort()}`;
			const taken = key === "agent" ? agent : node[key];
			const [host, port] = taken.split(":");
			const blocker = createServer();
			await new Promise<void>((resolve) =>
				blocker.listen(Number(port), host, () => resolve()),
			);
			const { readFileSync } = await import("node:fs");
			const text = readFileSync(node.path, "utf8");
			writeFileSync(
				node.path,
				text.replace("listen:\n", `listen:\n  agent: ${agent}\n`),
			);
			const { code, stderr } = await start(node).ended;
			blocker.close();
			expect(code).toBe(11);
			expect(stderr).toContain(
				`cannot listen on ${taken} (listen.${key}): another process listens there`,
			);
		},
	);
});

describe("a single raftd", () => {
	it("keeps what it acknowledged over a kill -9", async () => {
		const node = await single();
		const first = await startReady(node);
		const before = await adminCall(node, "GetStatus");
		const put = { op: "put", key: "a", value: "b" };
		const written = await ask(node, "command", put);
		expect(written.status).toBe(200);
		first.kill("SIGKILL");
		await first.ended;
		await startReady(node);
		const read = await ask(node, "query", { op: "get", key: "a" });
		expect(read.body.answer).toMatchObject({ found: true, value: "b" });
		const after = await adminCall(node, "GetStatus");
		expect(after.incarnation).toBe(before.incarnation);
		expect(after.processId).not.toBe(before.processId);
	});

	it("logs at the start what is needed at 3 a.m.", async () => {
		const node = await single();
		const raftd = await startReady(node);
		await raftd.until(() => raftd.log().some(({ msg }) => msg === "serving"));
		expect(raftd.log()[0]).toMatchObject({
			level: "info",
			release,
			pid: raftd.child.pid,
			configPath: node.path,
			node: "n1",
			data: node.data,
			cluster: { id: "c-test" },
			listen: { peer: node.peer, client: node.client, admin: node.admin },
			timing: { electionTimeoutMs: 500 },
		});
	});

	it("stops in order on SIGTERM, and starts again without repair", async () => {
		const node = await single();
		const first = await startReady(node);
		first.kill("SIGTERM");
		expect(await first.ended).toMatchObject({ code: 0, stderr: "" });
		expect(first.log().at(-1)).toMatchObject({
			msg: "stopped",
			handover: "sole-voter",
			connectionsCut: 0,
		});
		await startReady(node);
	});

	it("announces on SIGTERM before it stops, and stops at once on the second signal", async () => {
		const node = await single({
			drain: { announceMs: 600_000, timeoutMs: 3_600_000 },
		});
		const raftd = await startReady(node);
		raftd.kill("SIGINT");
		await raftd.until(async () => (await probe(node, "/readyz")) === 503);
		expect(await probe(node, "/livez")).toBe(200);
		raftd.kill("SIGTERM");
		expect((await raftd.ended).code).toBe(143);
	});

	it("runs a team's own machine", async () => {
		const app = join(directory, "counter.mjs");
		writeFileSync(
			app,
			`const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));
export default {
	name: "counter",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ value: 0 }),
	apply: (state) => bytes(++state.value),
	query: (state) => bytes(state.value),
	snapshot: () => [],
	restore: () => ({ value: 0 }),
};`,
		);
		const node = await single();
		await startReady(node, "--app", app);
		expect((await ask(node, "command", { add: 1 })).body.result).toBe(1);
		expect((await ask(node, "command", { add: 1 })).body.result).toBe(2);
		expect((await ask(node, "query", {})).body.answer).toBe(2);
		expect((await adminCall(node, "GetStatus")).machine).toBe("counter");
	});

	it("does not limp on after an error that nobody handled", async () => {
		const app = join(directory, "bomb.mjs");
		writeFileSync(
			app,
			`setTimeout(() => { throw new Error("boom"); }, 100);
export default {
	name: "bomb",
	levels: { reads: [1, 1], writes: 1 },
	create: () => null,
	apply: () => new Uint8Array(0),
	query: () => new Uint8Array(0),
	snapshot: () => [],
	restore: () => null,
};`,
		);
		const raftd = start(await single(), "--app", app);
		expect((await raftd.ended).code).toBe(1);
		expect(raftd.log().at(-1)).toMatchObject({
			level: "fatal",
			msg: "raftd fails: boom",
		});
	});
});

describe("three raftd", () => {
	async function cluster() {
		mkdirSync(join(directory, "three"));
		const nodes = await writeCluster(join(directory, "three"), [
			"n1",
			"n2",
			"n3",
		]);
		const raftds = await Promise.all(nodes.map((node) => startReady(node)));
		const roles = await Promise.all(
			nodes.map((node) => adminCall(node, "GetStatus")),
		);
		const leader = roles.findIndex(({ role }) => role === "leader");
		expect(leader).toBeGreaterThanOrEqual(0);
		return {
			leader: nodes[leader] as NodeFile,
			leading: raftds[leader] as Raftd,
			others: nodes.filter((_, index) => index !== leader),
			following: raftds.filter((_, index) => index !== leader),
		};
	}

	it("elect a leader, and each of them takes writes", async () => {
		const { leader, others } = await cluster();
		for (const [index, node] of [leader, ...others].entries()) {
			const put = { op: "put", key: `k${index}`, value: "v" };
			expect((await ask(node, "command", put)).status).toBe(200);
		}
		const list = await ask(leader, "query", { op: "list", prefix: "k" });
		expect((list.body.answer as { items: unknown[] }).items).toHaveLength(3);
		const { index } = await adminCall(others[0] as NodeFile, "GetReadIndex");
		expect(Number(index)).toBeGreaterThan(0);
	});

	it("hand leadership over before the leader stops", async () => {
		const { leading, others } = await cluster();
		leading.kill("SIGTERM");
		expect((await leading.ended).code).toBe(0);
		expect(leading.log().at(-1)).toMatchObject({
			msg: "stopped",
			handover: "done",
		});
		const status = await adminCall(others[0] as NodeFile, "GetStatus");
		expect(others.map(({ id }) => id)).toContain(status.leaderId);
		const put = { op: "put", key: "after", value: "v" };
		expect((await ask(others[0] as NodeFile, "command", put)).status).toBe(200);
	});

	it("stay alive, but not ready, without a quorum, and recover", async () => {
		const { leader, leading, following } = await cluster();
		for (const raftd of following) raftd.kill("SIGSTOP");
		await leading.until(async () => (await probe(leader, "/readyz")) === 503);
		expect(await probe(leader, "/livez")).toBe(200);
		const refused = await adminCall(leader, "GetReadIndex", { timeoutMs: 300 });
		expect(refused.code).toBe("unavailable");
		for (const raftd of following) raftd.kill("SIGCONT");
		await leading.until(async () => (await probe(leader, "/readyz")) === 200);
	});

	it("keep one operation lock, whichever node is asked", async () => {
		const { leader, others } = await cluster();
		const [first, second] = others as [NodeFile, NodeFile];
		const lock = { holder: "ci", host: "h", operation: "roll", ttlMs: 60_000 };
		const taken = await adminCall(first, "AcquireLock", lock);
		expect(taken.lock).toMatchObject({ holder: "ci" });
		const refused = await adminCall(second, "AcquireLock", lock);
		expect(refused.code).toBe("aborted");
		// Every node that has applied the lock fences off calls without its token.
		const { index } = await adminCall(leader, "GetReadIndex");
		const applied = await ask(leader, "query", { op: "get", key: "x" });
		expect(Number(applied.body.index)).toBeGreaterThanOrEqual(Number(index));
		const fenced = await adminCall(leader, "Drain", { leaseMs: 1000 });
		expect(fenced.code).toBe("failed_precondition");
	});
});
