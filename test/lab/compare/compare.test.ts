import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { until } from "../until.js";
import { LeaderMeter } from "./leader-watch.js";
import { type Measured, movedTwice } from "./measure.js";
import { ordinaryFront } from "./ordinary-front.js";
import { tableOf } from "./table.js";
import { Writes } from "./writes.js";

describe("the time without a leader", () => {
	it("is what passes from when the last one says no until one says yes", () => {
		const meter = new LeaderMeter(3, 0);
		meter.heard(0, true, 10);
		meter.begin(100);
		meter.heard(1, false, 150);
		meter.heard(0, false, 200);
		meter.heard(0, false, 210);
		meter.heard(2, true, 230);
		meter.heard(1, true, 240);
		meter.heard(2, false, 250);
		expect(meter.leaderlessMs(300)).toBe(30);
	});

	it("counts from the beginning where there is none, and until now", () => {
		const meter = new LeaderMeter(2, 0);
		meter.begin(100);
		meter.heard(0, false, 120);
		expect(meter.leaderlessMs(150)).toBe(50);
	});
});

describe("writes", () => {
	it("are sent when they are due while no answer comes, count from then, and are not sent again", async () => {
		const seen: string[] = [];
		let answering = false;
		const waiting: (() => void)[] = [];
		const server = createServer((request, response) => {
			seen.push(request.url ?? "");
			// The third is refused, the others wait.
			if (request.url === "/2") response.writeHead(503).end("no");
			else if (answering) response.end();
			else waiting.push(() => response.end());
		});
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as AddressInfo;
		const writes = new Writes({
			...{ address: `127.0.0.1:${port}`, perSecond: 100 },
			...{ connections: 4, timeoutMs: 20_000 },
			write: (number) => ({ method: "POST", path: `/${number}`, body: "{}" }),
		});
		// All connections wait; those that are due then wait for one.
		await until(async () => waiting.length === 4, 20_000, { what: "four" });
		await new Promise((wake) => setTimeout(wake, 200));
		expect(waiting).toHaveLength(4);
		answering = true;
		for (const answer of waiting) answer();
		await until(async () => writes.done > 20, 20_000, { what: "answers" });
		await writes.stop();
		server.close();
		expect(writes.failed).toBe(1);
		expect(writes.failures).toEqual(["503: no"]);
		expect(writes.slowestMs).toBeGreaterThanOrEqual(190);
		expect(seen).toHaveLength(writes.done + writes.failed);
		expect(new Set(seen).size).toBe(seen.length);
	});
});

it("counts the connections that moved twice but for those that began on the first node", () => {
	const all = [
		{ firstNode: "n1", moves: 2 },
		{ firstNode: "n2", moves: 2 },
		{ firstNode: "n3", moves: 1 },
		{ firstNode: null, moves: 3 },
	];
	expect(movedTwice(all, "n1")).toBe(2);
});

it("has in its table what the JSON says, and a dash for what there is not", () => {
	const one: Measured = {
		...{ failed: 0, slowestMs: 85, leaderlessMs: 12 },
		...{ movedTwice: 0, totalMs: 25_349 },
	};
	const lines = tableOf({
		...{ raftctl: one, script: { ...one, failed: 17 } },
		...{ drainScript: one, etcdScript: { ...one, movedTwice: null } },
	});
	expect(lines).toHaveLength(5);
	expect(lines[1]).toMatch(
		/^raftctl rolling-restart +0 +85 ms +12 ms +0 +25.3 s$/,
	);
	expect(lines[2]).toMatch(/^script +17 /);
	expect(lines[4]).toMatch(/^etcd, script +0 .* - +25.3 s$/);
	expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

it("gives scripts a HAProxy that asks each node how it is", () => {
	const node = { id: "n1", client: "10.77.0.11:7111", checkPort: 7112 };
	const text = ordinaryFront([node], "/readyz");
	expect(text).toContain("option httpchk GET /readyz\n");
	expect(text).toContain("    server n1 10.77.0.11:7111 check port 7112\n");
});
