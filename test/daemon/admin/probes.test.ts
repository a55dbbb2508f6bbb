import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdminNode, startAdminNode } from "./admin-node.js";

let node: AdminNode;
beforeEach(async () => {
	node = await startAdminNode();
});
afterEach(() => node.server.close());

async function get(path: string, method = "GET") {
	const response = await fetch(`http://${node.address}${path}`, { method });
	return {
		status: response.status,
		state: response.headers.get("raftd-state"),
		body: await response.text(),
	};
}

describe("the probes", () => {
	it("say ok in one word", async () => {
		expect(await get("/livez")).toMatchObject({ status: 200, body: "ok\n" });
		expect(await get("/readyz")).toEqual({
			status: 200,
			state: "ready",
			body: "ok\n",
		});
	});

	it("list their checks when asked", async () => {
		expect((await get("/readyz?verbose")).body).toBe(
			"[+]started ok\n[+]leader-known ok\n[+]caught-up ok\n[+]not-draining ok\n[+]member ok\n[+]state ok\n[+]healthy ok\nok\n",
		);
		expect((await get("/livez?verbose")).body).toBe(
			"[+]event-loop ok\n[+]disk ok\n[+]not-failed ok\nok\n",
		);
	});

	it("name the check that fails and why, while the node stays alive", async () => {
		node.draining.renew({ leaseMs: 60_000, close: false, closeOverMs: 0 });
		const { status, state, body } = await get("/readyz");
		expect({ status, state }).toEqual({ status: 503, state: "draining" });
		expect(body).toMatch(
			/\[-\]not-draining failed: draining \(announced\), for another \d+ ms unless renewed\n/,
		);
		expect(body).toContain("[+]leader-known ok");
		expect((await get("/livez")).status).toBe(200);
	});

	it("say unready without a leader, alive all the same", async () => {
		node.replica.raft = { ...node.replica.raft, leader: null };
		node.replica.heard = null;
		const { status, state } = await get("/readyz");
		expect({ status, state }).toEqual({ status: 503, state: "unready" });
		expect((await get("/livez")).status).toBe(200);
	});

	it("answer for one check alone", async () => {
		node.draining.renew({ leaseMs: 60_000, close: false, closeOverMs: 0 });
		expect((await get("/readyz/leader-known")).status).toBe(200);
		const one = await get("/readyz/not-draining");
		expect(one).toMatchObject({ status: 503, state: "draining" });
		expect((await get("/livez/disk?verbose")).body).toBe("[+]disk ok\nok\n");
		const none = await get("/readyz/nonsense");
		expect(none.status).toBe(404);
		expect(none.body).toContain("there are started, leader-known");
	});

	it("answer HEAD without a body and nothing else at all", async () => {
		expect(await get("/readyz", "HEAD")).toMatchObject({
			status: 200,
			body: "",
		});
		expect((await get("/readyz", "POST")).status).toBe(404);
		expect((await get("/")).status).toBe(404);
		expect((await get("/readyz/a/b")).status).toBe(404);
	});
});

describe("the metrics", () => {
	it("are in the Prometheus text format", async () => {
		const { status, body } = await get("/metrics");
		expect(status).toBe(200);
		const sample =
			/^[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[0-9.e+-]+$/;
		const lines = body.trimEnd().split("\n");
		const wrong = lines.filter(
			(line) => !/^# (HELP|TYPE) /.test(line) && !sample.test(line),
		);
		expect(wrong).toEqual([]);
		const types = lines.filter((line) => line.startsWith("# TYPE"));
		expect(new Set(types).size).toBe(types.length);
	});

	it("are the ones that docs/raftd.md lists", async () => {
		const { body } = await get("/metrics");
		const served = [...body.matchAll(/^# TYPE (\w+)/gm)].map(
			([, name]) => name,
		);
		const root = join(import.meta.dirname, "../../..");
		const docs = readFileSync(join(root, "docs/raftd.md"), "utf8");
		const listed = [...docs.matchAll(/`((?:raftd|process|nodejs)_\w+)`/g)].map(
			([, name]) => name,
		);
		expect(listed.toSorted()).toEqual(served.toSorted());
	});

	it("tell role, indexes, followers, readiness and connections", async () => {
		const { body } = await get("/metrics");
		for (const line of [
			'raftd_role{role="leader"} 1',
			'raftd_role{role="follower"} 0',
			"raftd_commit_index 10",
			'raftd_follower_match_index{follower="n2"} 12',
			'raftd_follower_counted{follower="n3"} 1',
			'raftd_members{role="voter"} 3',
			'raftd_members{role="learner"} 0',
			"raftd_write_level 1",
			'raftd_snapshots_total{outcome="installed"} 2',
			'raftd_snapshot_bytes_total{direction="out"} 500',
			"raftd_lease_reads_total 6",
			'raftd_ready{check="caught-up"} 1',
			'raftd_client_connections{kind="http"} 3',
			'raftd_client_connections_ended_total{reason="protocol"} 7',
			"raftd_commands_proposed_total 41",
			"raftd_log_sync_seconds_total 0.03",
			'raftd_peer_bytes_total{direction="in"} 200',
			"raftd_inflight_requests 5",
			"raftd_leaderless_seconds_total 0.12",
			"raftd_event_loop_stall_longest_seconds 0.002",
		]) {
			expect(body.split("\n")).toContain(line);
		}
		expect(body).toContain('cluster="shop \\"one\\""');
	});
});

describe("the admin port", () => {
	function exchange(parts: readonly string[]): Promise<string> {
		const [host, port] = node.address.split(":");
		return new Promise((resolve, reject) => {
			const socket = connect(Number(port), host, async () => {
				for (const part of parts) {
					socket.write(part);
					await new Promise((next) => setTimeout(next, 20));
				}
			});
			let text = "";
			socket.setEncoding("utf8");
			socket.on("data", (chunk) => {
				text += chunk;
			});
			socket.on("end", () => socket.end());
			socket.on("close", () => resolve(text));
			socket.on("error", reject);
		});
	}

	it("understands a request that arrives byte by byte", async () => {
		const request =
			"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
		expect(
			await exchange([
				"P",
				"OST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
			]),
		).toContain("HTTP/1.1 404");
		expect(await exchange([request.slice(0, 1), request.slice(1)])).toContain(
			"HTTP/1.1 200 OK",
		);
	});

	it("survives garbage, odd targets and clients that leave", async () => {
		expect(await exchange(["\x16\x03\x01\x00garbage\r\n\r\n"])).toContain(
			"400",
		);
		for (const target of [
			"//",
			"*",
			"/%",
			"/readyz?%",
			"http://[",
			`/?${"v".repeat(2000)}`,
		]) {
			const answer = await exchange([
				`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
			]);
			expect(answer).toMatch(/^HTTP\/1\.1 (200|400|404|503)/);
		}
		expect((await get("/livez")).status).toBe(200);
	});
});
