import { once } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ask, eventually, RawClient, startNode } from "./harness.js";

const command = (value: number) =>
	JSON.stringify({ op: "put", key: "a", value: `${value}` });

/** Each a whole request that puts `value`, or asks; only the first is plain. */
const requests: Readonly<Record<string, (value: number) => string>> = {
	plain: (value) => post(value, []),
	chunked: (value) =>
		`POST /v1/command HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${command(value).length.toString(16)}\r\n${command(value)}\r\n0\r\n\r\n`,
	"with an option": (value) =>
		`POST /v1/command?timeout-ms=5000 HTTP/1.1\r\nHost: h\r\nContent-Length: ${command(value).length}\r\n\r\n${command(value)}`,
	levelled: (value) => post(value, ["raftd-level: 1"]),
};

function post(value: number, headers: readonly string[]): string {
	const lines = [
		"POST /v1/command HTTP/1.1",
		"Host: h",
		...headers,
		`Content-Length: ${command(value).length}`,
	];
	return `${lines.join("\r\n")}\r\n\r\n${command(value)}`;
}

describe("a connection of plain requests", () => {
	it("answers each in order, whatever kinds follow each other and however they are cut", async () => {
		const node = await startNode();
		const kinds = fc.array(fc.constantFrom(...Object.keys(requests)), {
			minLength: 1,
			maxLength: 6,
		});
		await fc.assert(
			fc.asyncProperty(
				kinds,
				fc.array(fc.nat(900), { maxLength: 4 }),
				async (chosen, cuts) => {
					const client = new RawClient(node.api.port);
					const text = chosen
						.map((kind, at) => requests[kind]?.(at + 1))
						.join("");
					for (const part of cut(text, cuts)) {
						client.write(part);
						await new Promise((resolve) => setImmediate(resolve));
					}
					await client.until(
						(got) => count(got, '"version"') === chosen.length,
					);
					expect(count(client.received, "HTTP/1.1 200 OK")).toBe(chosen.length);
					const versions = versionsOf(client.received);
					expect(versions).toEqual([...versions].sort((a, b) => a - b));
					const { json } = await ask(`${node.url}/v1/query`, {
						op: "get",
						key: "a",
					});
					expect(json).toMatchObject({
						answer: { value: `${chosen.length}`, version: versions.at(-1) },
					});
					client.socket.destroy();
				},
			),
			{ numRuns: 60 },
		);
		await eventually(() => node.api.inflight() === 0);
	});

	it("answers what arrived while another was under way, after that one", async () => {
		const node = await startNode();
		node.replica.hold();
		const client = new RawClient(node.api.port);
		client.write(post(1, []));
		await eventually(() => node.replica.inflight === 1);
		client.write(post(2, []));
		client.write(post(3, []).slice(0, 30));
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(node.api.inflight()).toBe(1);
		node.replica.release();
		client.write(post(3, []).slice(30));
		const got = await client.until((text) => count(text, '"version"') === 3);
		expect(versionsOf(got)).toEqual([1, 2, 3]);
	});

	it("answers a lot that arrived while another was under way, in order", async () => {
		const node = await startNode();
		node.replica.hold();
		const client = new RawClient(node.api.port);
		client.write(post(1, []));
		await eventually(() => node.replica.inflight === 1);
		const more = 1000;
		const text = Array.from({ length: more }, (_, at) => post(at, []));
		const padding = ["X: ".padEnd(1000, "x")];
		client.write(text.join("") + post(1, padding).repeat(20));
		await new Promise((resolve) => setTimeout(resolve, 20));
		node.replica.release();
		const answers = 1 + more + 20;
		const got = await client.until(
			(received) => count(received, '"version"') === answers,
		);
		const versions = Array.from({ length: answers }, (_, at) => at + 1);
		expect(versionsOf(got)).toEqual(versions);
	});

	it("can still become a stream or a WebSocket", async () => {
		const node = await startNode();
		for (const [path, protocol, more] of [
			["/v1/stream", "raftd-stream/1", ""],
			[
				"/v1/events",
				"websocket",
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
			],
		]) {
			const client = new RawClient(node.api.port);
			client.write(post(1, []));
			await client.until((text) => text.includes('"version"'));
			client.write(
				`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`,
			);
			await client.until((text) => text.includes("HTTP/1.1 101 "));
		}
		expect(node.api.connections()).toMatchObject({ streams: 1, websockets: 1 });
	});

	it("is told to close with the next answer while the node drains, and closed when idle", async () => {
		const node = await startNode({ limits: { idleBeforeCloseMs: 50 } });
		const used = new RawClient(node.api.port);
		const idle = new RawClient(node.api.port);
		for (const client of [used, idle]) {
			client.write(post(1, []));
			await client.until((text) => text.includes('"version"'));
			expect(client.received).toContain("Connection: keep-alive\r\n");
		}
		node.api.beginClosing(0);
		used.write(post(2, []));
		expect(await used.untilEnd()).toContain("Connection: close\r\n");
		await idle.untilEnd();
	});

	it("is closed behind its last answer, and does nothing that comes after", async () => {
		const node = await startNode();
		const client = await halfOpen(node.api.port);
		client.write(post(1, []));
		await client.until((text) => text.includes('"version":1'));
		node.api.beginClosing(0);
		client.write(post(2, []));
		await client.untilEnd();
		expect(client.received).toContain("Connection: close\r\n");
		client.write(post(3, []));
		await eventually(() => node.api.connections().total === 0);
		expect(node.replica.proposals).toHaveLength(2);
	});

	it("does nothing that comes after it was ended while it was idle", async () => {
		const node = await startNode();
		const client = await halfOpen(node.api.port);
		client.write(post(1, []));
		await client.until((text) => text.includes('"version":1'));
		const closed = node.api.close();
		await client.untilEnd();
		client.write(post(2, []));
		await closed;
		expect(node.replica.proposals).toHaveLength(1);
	});

	it("ends when nothing more comes for as long as it is kept, and when nothing ever came", async () => {
		const node = await startNode({
			limits: { keepAliveTimeoutMs: 100, requestTimeoutMs: 100 },
		});
		const silent = new RawClient(node.api.port);
		const used = new RawClient(node.api.port);
		used.write(post(1, []));
		expect(await used.untilEnd()).toContain('"version":1');
		await silent.untilEnd();
		await eventually(() => node.api.connections().total === 0);
	});

	it("says what every answer of this node says", async () => {
		const node = await startNode();
		const client = new RawClient(node.api.port);
		client.write(post(1, []));
		await client.until((text) => text.includes('"version"'));
		const plain = client.received;
		client.received = "";
		client.write(requests.chunked?.(1) as string);
		await client.until((text) => text.includes('"version"'));
		expect(namesOf(plain)).toEqual(namesOf(client.received));
		client.received = "";
		const refused = new RawClient(node.api.port);
		refused.write(post(1, []).replace('"put"', '"pot"'));
		await refused.until((text) => text.includes('"error"'));
		expect(refused.received).toContain("HTTP/1.1 400 Bad Request\r\n");
	});
});

/** A client that goes on talking after the node has ended. */
async function halfOpen(port: number): Promise<RawClient> {
	const client = new RawClient(port, { allowHalfOpen: true });
	await once(client.socket, "connect");
	return client;
}

function cut(text: string, cuts: readonly number[]): string[] {
	const places = [...cuts, 0, text.length]
		.map((at) => Math.min(at, text.length))
		.sort((a, b) => a - b);
	return places.slice(1).map((end, at) => text.slice(places[at], end));
}

function count(text: string, part: string): number {
	return text.split(part).length - 1;
}

function versionsOf(text: string): number[] {
	return [...text.matchAll(/"version":(\d+)/g)].map(([, at]) => Number(at));
}

function namesOf(answer: string): string[] {
	const [head = ""] = answer.split("\r\n\r\n");
	return head
		.split("\r\n")
		.slice(1)
		.map((line) => line.split(":")[0]?.toLowerCase() ?? "")
		.sort();
}
