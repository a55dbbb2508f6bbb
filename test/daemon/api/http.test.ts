import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { defineMachine, type Machine } from "../../../src/machines/machine.js";
import {
	ask,
	eventually,
	type Node,
	put,
	RawClient,
	startNode,
} from "./harness.js";

function command(value: number): string {
	const body = JSON.stringify({ op: "put", key: "a", value: `${value}` });
	return `POST /v1/command HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe("the client port over HTTP", () => {
	it("executes commands and answers queries with the raft index", async () => {
		const node = await startNode();
		expect(await put(node, "a", "1")).toMatchObject({
			status: 200,
			json: { index: 1, result: { version: 1 } },
		});
		const command = `${node.url}/v1/command`;
		expect(
			await ask(`${command}?ack=commit`, { op: "delete", key: "x" }),
		).toMatchObject({ status: 200, json: { index: 2 } });
		expect(
			await ask(`${command}?ack=none`, { op: "put", key: "b", value: "2" }),
		).toMatchObject({ status: 202, json: {} });
		await eventually(() => node.replica.status().applied === 3);
		const query = `${node.url}/v1/query`;
		expect(await ask(query, { op: "get", key: "a" })).toMatchObject({
			status: 200,
			json: { index: 3, answer: { found: true, value: "1", version: 1 } },
		});
		const q = encodeURIComponent(JSON.stringify({ op: "list", prefix: "" }));
		expect(
			await ask(`${query}?consistency=stale&min-index=3&q=${q}`),
		).toMatchObject({
			json: {
				answer: { items: [{ key: "a" }, { key: "b" }], more: false },
			},
		});
		expect(node.replica.queries.at(-1)).toEqual({
			consistency: "stale",
			minIndex: 3,
			deadlineMs: 5000,
		});
		expect(node.replica.proposals.map(({ ack }) => ack)).toEqual([
			"apply",
			"commit",
			"none",
		]);
	});

	it("says what it is and who leads", async () => {
		const node = await startNode();
		expect(await ask(`${node.url}/v1/whoami`)).toMatchObject({
			status: 200,
			json: { node: "n1", role: "leader", leader: "n1", leaderClient: "h:2" },
		});
		node.replica.leader = null;
		expect(await ask(`${node.url}/v1/whoami`)).toMatchObject({
			json: { role: "follower", leader: null, leaderClient: null },
		});
		const { json } = await ask(`${node.url}/`);
		expect(json).toMatchObject({ server: "raftd", node: "n1" });
		expect(json.endpoints.join()).toContain("/v1/command");
	});

	it.each([
		["overloaded", 429, "1"],
		["too-large", 413, null],
		["invalid", 400, null],
		["no-leader", 503, "1"],
		["stopping", 503, "1"],
		["lost", 503, "1"],
		["timeout", 503, "1"],
	] as const)(
		"answers a command rejected as %s with %i",
		async (reason, status, retryAfter) => {
			const node = await startNode();
			const retryAfterMs = retryAfter === null ? 0 : 300;
			const message = "why";
			const kind = "rejected";
			node.replica.nextOutcomes.push({ kind, reason, message, retryAfterMs });
			const answer = await put(node, "a", "1");
			expect(answer).toMatchObject({
				status,
				json: { error: { code: reason, outcome: "rejected", message } },
			});
			expect(answer.headers.get("retry-after")).toBe(retryAfter);
		},
	);

	it("keeps a command whose fate is open apart from one that was rejected", async () => {
		const node = await startNode();
		node.replica.nextOutcomes.push({ kind: "unknown", message: "cut off" });
		const answer = await put(node, "a", "1");
		expect(answer).toMatchObject({
			status: 504,
			json: { error: { code: "unknown", outcome: "unknown" } },
		});
		expect(answer.headers.get("retry-after")).toBeNull();
	});

	it.each([
		["timeout", 503],
		["no-leader", 503],
		["stopping", 503],
		["invalid", 400],
	] as const)(
		"answers a query that failed as %s with %i",
		async (reason, status) => {
			const node = await startNode();
			node.replica.nextQueryOutcomes.push({
				kind: "failed",
				reason,
				message: "why",
			});
			expect(
				await ask(`${node.url}/v1/query`, { op: "get", key: "a" }),
			).toMatchObject({
				status,
				json: { error: { code: reason, outcome: "rejected" } },
			});
		},
	);

	it.each([
		["{", "line 1, column 2"],
		['{"op":"put",\n  "key": a}', "line 2, column 10"],
		["", "line 1, column 1"],
		["[1] 2", "line 1, column 5"],
		['{"a":1,}', "line 1, column 8"],
	])(
		"answers a body that is not JSON with the place: %j",
		async (body, place) => {
			const node = await startNode();
			const answer = await ask(`${node.url}/v1/command`, undefined, {
				method: "POST",
				body,
			});
			expect(answer.status).toBe(400);
			expect(answer.json.error).toMatchObject({ code: "invalid" });
			expect(answer.json.error.message).toContain(place);
			expect(node.replica.proposals).toEqual([]);
		},
	);

	it("refuses text that is no UTF-8 and JSON that is nested too deep", async () => {
		const node = await startNode();
		const post = (body: string | Buffer) =>
			ask(`${node.url}/v1/command`, undefined, { method: "POST", body });
		expect(await post(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({
			status: 400,
		});
		const deep = await post(`${"[".repeat(10_000)}${"]".repeat(10_000)}`);
		expect(deep).toMatchObject({ status: 400 });
		expect(deep.json.error.message).toContain("deeper");
	});

	it.each([
		["/v1/command?ack=maybe", "ack"],
		["/v1/command?timeout-ms=0", "timeout-ms"],
		["/v1/command?timeout-ms=1e3", "timeout-ms"],
		["/v1/command?acks=none", "acks"],
		["/v1/query?consistency=eventual", "consistency"],
		["/v1/query?format=xml", "format"],
		["/v1/command?format=xml", "format"],
		["/v1/query?min-index=-1", "min-index"],
		["/v1/query?min-index=99999999999999999", "min-index"],
	])("refuses the options of %s by name", async (path, name) => {
		const node = await startNode();
		const body = { op: "get", key: "a" };
		const answer = await ask(node.url + path, body);
		expect(answer.status).toBe(400);
		expect(answer.json.error.message).toContain(name);
	});

	it("refuses a command that the machine cannot read or will not take", async () => {
		const node = await startNode();
		const command = `${node.url}/v1/command`;
		expect(await ask(command, { op: "incr" })).toMatchObject({ status: 400 });
		const long = { op: "put", key: "k".repeat(1025), value: "" };
		expect(await ask(command, long)).toMatchObject({
			status: 400,
			json: { error: { code: "invalid" } },
		});
	});

	it("names the routes that there are, and their methods", async () => {
		const node = await startNode();
		const lost = await ask(`${node.url}/v2/command`, {});
		expect(lost.status).toBe(404);
		expect(lost.json.error.message).toContain("/v1/command");
		expect(await ask(`${node.url}/constructor`)).toMatchObject({ status: 404 });
		const wrong = await ask(`${node.url}/v1/command`);
		expect(wrong.status).toBe(405);
		expect(wrong.headers.get("allow")).toBe("POST");
		const plain = await ask(`${node.url}/v1/stream`);
		expect(plain.status).toBe(426);
		expect(plain.headers.get("upgrade")).toBe("raftd-stream/1");
	});

	it("serves many requests on one connection, and pipelined ones in order", async () => {
		const node = await startNode();
		const client = new RawClient(node.api.port);
		const body = (value: number) =>
			JSON.stringify({ op: "put", key: "a", value: `${value}` });
		const post = (value: number) =>
			`POST /v1/command HTTP/1.1\r\nHost: h\r\nContent-Length: ${body(value).length}\r\n\r\n${body(value)}`;
		client.write(post(1) + post(2) + post(3));
		const text = await client.until(
			(received) => received.split('"version"').length === 4,
		);
		expect([...text.matchAll(/"version":(\d)/g)].map(([, at]) => at)).toEqual([
			"1",
			"2",
			"3",
		]);
		client.write(post(4));
		await client.until((received) => received.includes('"version":4'));
		expect(node.api.connections().total).toBe(1);
		expect(node.replica.proposals.map(({ client }) => client)).toEqual(
			Array(4).fill(node.replica.proposals[0]?.client),
		);
	});

	it.each([
		["for what there is not", "/v1/nothing", "raftd-stream/1"],
		["for a WebSocket that is none", "/v1/events", "websocket"],
	])(
		"lets a refused upgrade go %s, whatever follows it",
		async (_what, path, protocol) => {
			const node = await startNode({ limits: { closeTimeoutMs: 100 } });
			const upgrade = `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
			const leaving = new RawClient(node.api.port);
			leaving.write(upgrade);
			await leaving.until((received) => received.includes("\r\n\r\n"));
			leaving.write("more");
			leaving.socket.end();
			// It never ends, and says more than anybody would wait for.
			const staying = connect({ port: node.api.port, allowHalfOpen: true });
			staying.on("error", () => {});
			staying.write(`${upgrade}more`);
			await eventually(() => node.api.connections().total === 0);
			staying.destroy();
		},
	);

	it("no longer counts requests whose client left before their answers could", async () => {
		const node = await startNode();
		const client = new RawClient(node.api.port);
		const ask =
			"GET /v1/query?q={%22op%22:%22get%22,%22key%22:%22a%22} HTTP/1.1\r\nHost: h\r\n\r\n";
		node.replica.hold();
		client.write(ask + ask + ask);
		await eventually(() => node.api.inflight() === 3);
		client.socket.destroy();
		await eventually(() => node.api.connections().total === 0);
		expect(node.api.inflight()).toBe(0);
		node.replica.release();
		await put(node, "a", "1");
		await eventually(() => node.api.inflight() === 0);
	});

	it("refuses more than so many unanswered requests on one connection", async () => {
		const node = await startNode({ limits: { maxPendingRequests: 3 } });
		node.replica.hold();
		const client = new RawClient(node.api.port);
		const get =
			"GET /v1/query?q={%22op%22:%22get%22,%22key%22:%22a%22} HTTP/1.1\r\nHost: h\r\n\r\n";
		client.write(get.repeat(5));
		await eventually(() => node.replica.inflight === 3);
		node.replica.release();
		const text = await client.until(
			(received) => received.split("HTTP/1.1 ").length === 6,
		);
		expect([...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, at]) => at)).toEqual([
			"200",
			"200",
			"200",
			"429",
			"429",
		]);
		expect(text).toContain("Retry-After: 1");
	});

	it("refuses a body over the limit, announced, chunked or asked about, and serves the next request", async () => {
		const node = await startNode({ limits: { maxBodyBytes: 1000 } });
		const long = { op: "put", key: "a", value: "x".repeat(100_000) };
		expect(await ask(`${node.url}/v1/command`, long)).toMatchObject({
			status: 413,
			json: { error: { code: "too-large", outcome: "rejected" } },
		});
		const chunked = new RawClient(node.api.port);
		chunked.write(
			"POST /v1/command HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
		);
		for (let at = 0; at < 20; at += 1)
			chunked.write(`100\r\n${"x".repeat(256)}\r\n`);
		chunked.write("0\r\n\r\n");
		await chunked.until((received) => received.includes("HTTP/1.1 413"));
		const polite = new RawClient(node.api.port);
		polite.write(
			"POST /v1/command HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n",
		);
		const text = await polite.untilEnd();
		expect(text).toContain("HTTP/1.1 413");
		expect(text).not.toContain("100 Continue");
		expect(await put(node, "a", "1")).toMatchObject({ status: 200 });
		expect(node.replica.proposals.length).toBe(1);
	});

	it("lets a client that asks first send what is within the limit", async () => {
		const node = await startNode();
		const polite = new RawClient(node.api.port);
		const body = '{"op":"put","key":"a","value":"1"}';
		polite.write(
			`POST /v1/command HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
		);
		await polite.until((received) => received.includes("100 Continue"));
		polite.write(body);
		await polite.until((received) => received.includes('"version":1'));
	});

	it("ends a connection whose request does not arrive within the limit", async () => {
		const node = await startNode({ limits: { requestTimeoutMs: 200 } });
		const slow = new RawClient(node.api.port);
		slow.write(
			"POST /v1/command HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{",
		);
		const slower = new RawClient(node.api.port);
		slower.write("GET /v1/wh");
		expect(await slow.untilEnd()).toContain("HTTP/1.1 408");
		expect(await slower.untilEnd()).toContain("HTTP/1.1 408");
		await eventually(() => node.api.connections().total === 0);
		expect(node.api.inflight()).toBe(0);
	});

	it("answers garbage with 400, ends the connection and counts it", async () => {
		const node = await startNode();
		const client = new RawClient(node.api.port);
		client.write("\x00\x01garbage\r\n\r\n");
		expect(await client.untilEnd()).toContain("HTTP/1.1 400");
		const header = new RawClient(node.api.port);
		header.write(
			`GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
		);
		expect(await header.untilEnd()).toContain("HTTP/1.1 431");
		expect(node.api.counters().protocolErrors).toBe(2);
	});

	it("counts what is unanswered, and goes on when clients leave before their answers", async () => {
		const node = await startNode();
		node.replica.hold();
		const client = new RawClient(node.api.port);
		client.write(
			"GET /v1/query?q={%22op%22:%22get%22,%22key%22:%22a%22} HTTP/1.1\r\nHost: h\r\n\r\n",
		);
		await eventually(() => node.replica.inflight === 1);
		expect(node.api.inflight()).toBe(1);
		client.socket.destroy();
		await eventually(() => node.api.inflight() === 0);
		node.replica.release();
		expect(await put(node, "a", "1")).toMatchObject({ status: 200 });
	});

	it("refuses an upgrade that it does not know with an HTTP answer", async () => {
		const node = await startNode();
		for (const [path, protocol] of [
			["/v1/stream", "raftd-stream/9"],
			["/v1/stream", "websocket"],
			["/v1/command", "websocket"],
			["/v1/events?from=x", "websocket"],
			["/v1/events?form=1", "websocket"],
		]) {
			const client = new RawClient(node.api.port);
			client.write(
				`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
			);
			expect(await client.untilEnd()).toContain("HTTP/1.1 400");
		}
	});

	it("serves a machine without JSON words of its own as UTF-8 JSON", async () => {
		const counter = defineMachine<{ sum: number }>({
			name: "counter",
			levels: { reads: [1, 1], writes: 1 },
			create: () => ({ sum: 0 }),
			apply: (state, command, { emit }) => {
				state.sum += JSON.parse(Buffer.from(command).toString()).add;
				emit(Buffer.from(JSON.stringify({ sum: state.sum })));
				return Buffer.from(`${state.sum}`);
			},
			query: ({ sum }) => Buffer.from([sum, 0xff]),
			snapshot: () => [],
			restore: () => ({ sum: 0 }),
		});
		const node = await startNode({ machine: counter as Machine });
		expect(await ask(`${node.url}/v1/command`, { add: 5 })).toMatchObject({
			json: { index: 1, result: 5 },
		});
		// An answer that is not JSON is shown as it is.
		expect(await ask(`${node.url}/v1/query`, {})).toMatchObject({
			json: { answer: { base64: "Bf8=" } },
		});
	});

	it("refuses to start on a port that is taken, naming it", async () => {
		const node = await startNode();
		const { startClientApi } = await import(
			"../../../src/daemon/api/client-api.js"
		);
		await expect(
			startClientApi({
				replica: node.replica,
				machine: (await import("../../../src/machines/kv/machine.js"))
					.kv as Machine,
				listen: `127.0.0.1:${node.api.port}`,
				nodeId: "n2",
			}),
		).rejects.toMatchObject({
			name: "OperatorError",
			message: expect.stringContaining("listen.client"),
		});
	});
});

describe("a drain over HTTP", () => {
	it("ends each connection with its next answer and still serves what arrives", async () => {
		const node = await startNode();
		const agent = new Agent({ keepAlive: true, maxSockets: 1 });
		const get = () =>
			new Promise<string | undefined>((resolve, reject) => {
				httpRequest(`${node.url}/v1/whoami`, { agent }, (response) => {
					response.resume();
					response.on("end", () => resolve(response.headers.connection));
				})
					.on("error", reject)
					.end();
			});
		expect(await get()).toBe("keep-alive");
		node.api.beginClosing(60_000);
		expect(await get()).toBe("close");
		expect(await get()).toBe("close");
		node.api.stopClosing();
		expect(await get()).toBe("keep-alive");
		agent.destroy();
	});

	it("ends idle connections, but none before its request is answered", async () => {
		const node = await startNode({ limits: { idleBeforeCloseMs: 50 } });
		const idle = new RawClient(node.api.port);
		idle.write("GET /v1/whoami HTTP/1.1\r\nHost: h\r\n\r\n");
		await idle.until((received) => received.includes("200 OK"));
		node.replica.hold();
		const busy = new RawClient(node.api.port);
		busy.write(
			"GET /v1/query?q={%22op%22:%22get%22,%22key%22:%22a%22} HTTP/1.1\r\nHost: h\r\n\r\n",
		);
		await eventually(() => node.replica.inflight === 1);
		node.api.beginClosing(0);
		await idle.untilEnd();
		await eventually(() => node.api.connections().total === 1);
		expect(busy.ended).toBe(false);
		node.replica.release();
		expect(await busy.untilEnd()).toContain('"found":false');
	});

	it.each([
		["drains", (node: Node) => node.api.beginClosing(0)],
		["ends", (node: Node) => void node.api.close()],
	])(
		"answers all that was sent at once before the node %s, and the last says that it ends",
		async (_, leave) => {
			const node = await startNode();
			node.replica.hold();
			const client = new RawClient(node.api.port);
			client.write(command(1) + command(2) + command(3));
			await eventually(() => node.replica.inflight === 3);
			leave(node);
			node.replica.release();
			const received = await client.untilEnd();
			const answers = received.split("HTTP/1.1 ").slice(1);
			expect(answers.map((text) => /"version":(\d)/.exec(text)?.[1])).toEqual([
				"1",
				"2",
				"3",
			]);
			expect(answers.map((text) => /connection: close/i.test(text))).toEqual([
				false,
				false,
				true,
			]);
		},
	);

	it("does nothing that comes behind an answer that says that it ends", async () => {
		const node = await startNode();
		const client = new RawClient(node.api.port, { allowHalfOpen: true });
		client.write(command(1) + command(2));
		await client.until((received) => received.includes('"version":2'));
		node.api.beginClosing(0);
		client.write(command(3));
		await client.until((received) => /connection: close/i.test(received));
		client.write(command(4));
		await eventually(() => node.api.connections().total === 0);
		expect(node.replica.proposals).toHaveLength(3);
	});

	it("takes a standstill of its own for no silence of a client", async () => {
		const node = await startNode({ limits: { idleBeforeCloseMs: 50 } });
		const client = new RawClient(node.api.port);
		const request = "GET /v1/whoami HTTP/1.1\r\nHost: h\r\n\r\n";
		client.write(request);
		await client.until((received) => received.includes("200 OK"));
		node.api.beginClosing(0);
		client.write(request);
		// Longer than it takes to look twice for idle connections: the request lies unread meanwhile.
		const endMs = performance.now() + 500;
		while (performance.now() < endMs);
		const received = await client.untilEnd();
		expect(received.split("200 OK")).toHaveLength(3);
		expect(received).toMatch(/connection: close/i);
	});

	it("answers what was accepted before the port closes for good", async () => {
		const node = await startNode();
		node.replica.hold();
		const answer = put(node, "a", "1");
		await eventually(() => node.replica.inflight === 1);
		const closed = node.api.close();
		node.replica.release();
		expect(await answer).toMatchObject({ status: 200 });
		await closed;
		expect(node.api.connections().total).toBe(0);
		await expect(put(node, "a", "2")).rejects.toThrow();
	});
});
