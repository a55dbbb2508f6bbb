import { describe, expect, it } from "vitest";
import { ask, put, RawClient, startNode } from "./harness.js";

describe("the header raftd-node", () => {
	it("is in every answer, done or refused, its own or Node's", async () => {
		const node = await startNode();
		const statuses = new Set<number>();
		for (const { status, headers } of [
			await put(node, "a", "1"),
			await ask(`${node.url}/v1/whoami`),
			await ask(`${node.url}/v1/nothing`),
			await ask(`${node.url}/v1/stream`),
			await ask(`${node.url}/v1/command`, "no command"),
		]) {
			expect(headers.get("raftd-node")).toBe("n1");
			statuses.add(status);
		}
		expect([...statuses]).toEqual([200, 404, 426, 400]);
		const upgrade = "Connection: Upgrade\r\nUpgrade:";
		for (const [request, status] of [
			["no request at all\r\n\r\n", 400],
			[`GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
			["GET / HTTP/1.1\r\n\r\n", 400],
			[
				"GET / HTTP/1.1\r\nHost: h\r\nExpect: wonders\r\nConnection: close\r\n\r\n",
				417,
			],
			[`GET /v1/no HTTP/1.1\r\nHost: h\r\n${upgrade} a\r\n\r\n`, 400],
			[
				`GET /v1/events HTTP/1.1\r\nHost: h\r\n${upgrade} websocket\r\n\r\n`,
				400,
			],
		] as const) {
			const raw = new RawClient(node.api.port);
			raw.write(request);
			const answer = await raw.untilEnd();
			expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
			expect(answer).toContain("\r\nraftd-node: n1\r\n");
			if (request.includes("websocket"))
				expect(answer).toContain("\r\nSec-WebSocket-Version: 13\r\n");
		}
	});

	it.each([
		["stream", "raftd-stream/1"],
		["events", "websocket"],
	])("is in the answer that upgrades to %s", async (path, protocol) => {
		const node = await startNode();
		const raw = new RawClient(node.api.port);
		raw.write(
			`GET /v1/${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
		);
		const answer = await raw.until((all) => all.includes("\r\n\r\n"));
		expect(answer).toMatch(/^HTTP\/1.1 101 /);
		expect(answer).toContain("\r\nraftd-node: n1\r\n");
	});
});
