import { describe, expect, it } from "vitest";
import {
	decodeAnswer,
	decodeResult,
	encodeCommand,
	encodeQuery,
} from "../../../src/machines/kv/codec.js";
import {
	defineMachine,
	type Machine,
	MachineInputError,
} from "../../../src/machines/machine.js";
import { featuresOf, streamFeatures } from "../../../src/wire/client-frames.js";
import {
	ask,
	Listener,
	RawClient,
	StreamClient,
	startNode,
} from "./harness.js";

const body = { op: "put", key: "a", value: "1" };
const bytes = encodeCommand({ op: "put", key: "a", value: "1" });

function inSession(session: number, sequence: number, acknowledged?: number) {
	return {
		headers: {
			"raftd-session": `${session}`,
			"raftd-sequence": `${sequence}`,
			...(acknowledged === undefined
				? {}
				: { "raftd-acknowledged": `${acknowledged}` }),
		},
	};
}

describe("sessions over HTTP", () => {
	it("execute a command once, however often it is sent", async () => {
		const node = await startNode();
		const opened = await ask(`${node.url}/v1/sessions`, undefined, {
			method: "POST",
		});
		expect(opened).toMatchObject({
			status: 201,
			json: { session: 1, ttlMs: 600_000 },
		});
		const command = `${node.url}/v1/command`;
		const first = await ask(command, body, inSession(1, 1));
		expect(first).toMatchObject({ status: 200, json: { index: 2 } });
		const again = await ask(command, body, inSession(1, 1));
		expect(again.json).toEqual(first.json);
		const next = await ask(command, body, inSession(1, 2, 1));
		expect(next).toMatchObject({ status: 200, json: { index: 3 } });
		expect(await ask(command, body, inSession(1, 1))).toMatchObject({
			status: 409,
			json: { error: { code: "session-misused", outcome: "rejected" } },
		});
		expect(node.replica.status().applied).toBe(3);
	});

	it("that have expired are gone, which says nothing of earlier attempts", async () => {
		const node = await startNode();
		const answer = await ask(`${node.url}/v1/command`, body, inSession(9, 1));
		expect(answer).toMatchObject({
			status: 410,
			json: { error: { code: "session-expired", outcome: "rejected" } },
		});
		expect(answer.headers.get("retry-after")).toBeNull();
	});

	it.each([
		[{ "raftd-session": "1" }, "sequence"],
		[{ "raftd-sequence": "1" }, "session"],
		[{ "raftd-acknowledged": "1" }, "session"],
		[{ "raftd-session": "0", "raftd-sequence": "1" }, "session"],
		[{ "raftd-session": "x", "raftd-sequence": "1" }, "session"],
		[{ ...inSession(1, 2, 2).headers }, "acknowledged"],
		[{ "raftd-sesion": "1" }, "raftd-sesion"],
		[{ "raftd-level": "256" }, "level"],
	] as [Record<string, string>, string][])(
		"refuse %j by name",
		async (headers, name) => {
			const node = await startNode();
			const answer = await ask(`${node.url}/v1/command`, body, { headers });
			expect(answer.status).toBe(400);
			expect(answer.json.error.message).toContain(name);
			expect(node.replica.proposals).toEqual([]);
		},
	);

	it("do not take a query into them", async () => {
		const node = await startNode();
		const query = { op: "get", key: "a" };
		expect(
			await ask(`${node.url}/v1/query`, query, inSession(1, 1)),
		).toMatchObject({ status: 400 });
	});

	it("fail to be opened with the reason, and when to try again", async () => {
		const node = await startNode();
		node.replica.leader = null;
		expect(
			await ask(`${node.url}/v1/sessions`, undefined, { method: "POST" }),
		).toMatchObject({ status: 503, json: { error: { code: "no-leader" } } });
	});
});

describe("sessions over a WebSocket", () => {
	it("are opened, and take commands", async () => {
		const node = await startNode();
		const client = await Listener.open(node);
		client.send({ id: 1, openSession: true });
		await client.until(({ messages }) =>
			messages.some(({ type }) => type === "session"),
		);
		expect(client.messages.at(-1)).toEqual({
			...{ type: "session", id: 1, session: 1, ttlMs: 600_000 },
		});
		const session = { id: 1, sequence: 1 };
		client.send({ id: 2, command: body, session });
		client.send({ id: 3, command: body, session, level: 1 });
		client.send({ id: 4, command: body, session: { id: 1 } });
		client.send({ id: 5, command: body, session: 1 });
		client.send({
			id: 6,
			query: { op: "get", key: "a" },
			consistency: "stale",
		});
		const answered = (id: number) =>
			client.messages.find((message) => message.id === id);
		await client.until(() => [2, 3, 4, 5, 6].every(answered));
		expect(answered(3)).toEqual({ ...answered(2), id: 3 });
		expect(answered(4).error.message).toContain("sequence");
		expect(answered(5).error.message).toContain("session");
		expect(answered(6)).toMatchObject({ index: 2, ageMs: 0 });
	});
});

describe("sessions over a stream", () => {
	it("are opened, take commands, and come with what the node offers", async () => {
		const node = await startNode();
		const raw = new RawClient(node.api.port);
		raw.write(
			"GET /v1/stream HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: raftd-stream/1\r\n\r\n",
		);
		const head = await raw.until((text) => text.includes("\r\n\r\n"));
		const named = /raftd-stream-features: (.*)\r\n/.exec(head)?.[1];
		expect([...featuresOf(named)]).toEqual([...streamFeatures]);
		const client = await StreamClient.open(node);
		client.batch.openSession({ requestId: 1, deadlineMs: 5000 });
		client.send();
		await client.until(({ length }) => length === 1);
		expect(client.answers[0]).toEqual({
			...{ kind: "session", requestId: 1, id: 1, ttlMs: 600_000 },
		});
		for (const requestId of [2, 3])
			client.batch.command({
				...{ requestId, ack: "apply", deadlineMs: 5000, command: bytes },
				...{ level: 1, session: { id: 1, sequence: 1, acknowledged: 0 } },
			});
		client.batch.command({
			...{ requestId: 4, ack: "apply", deadlineMs: 5000, command: bytes },
			session: { id: 7, sequence: 1, acknowledged: 0 },
		});
		client.send();
		const answers = await client.until(({ length }) => length === 4);
		expect(answers.slice(1)).toMatchObject([
			{ kind: "result", index: 2 },
			{ kind: "result", index: 2 },
			{ kind: "failed", reason: "session-expired", outcome: "rejected" },
		]);
		expect(node.replica.proposals[0]).toMatchObject({ level: 1 });
	});

	it("answer what a newer client asks one by one, and go on", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		client.socket.write(Buffer.from("050000000e" + "07000000", "hex"));
		client.batch.command({
			...{ requestId: 8, ack: "apply", deadlineMs: 5000, command: bytes },
		});
		client.send();
		expect(await client.until(({ length }) => length === 2)).toMatchObject([
			{ requestId: 7, reason: "unsupported", outcome: "rejected" },
			{ requestId: 8, kind: "result" },
		]);
		expect(node.api.counters().protocolErrors).toBe(0);
	});
});

describe("reads over a stream", () => {
	it("tell the age to who asks for it, and to nobody else", async () => {
		const node = await startNode();
		node.replica.staleAgeMs = 7.2;
		const client = await StreamClient.open(node);
		const query = {
			...{ minIndex: 0, deadlineMs: 5000 },
			query: encodeQuery({ op: "get", key: "a" }),
		};
		client.batch.query({ ...query, requestId: 1, consistency: "stale" });
		client.batch.query({
			...{ ...query, requestId: 2, consistency: "stale", wantsAge: true },
		});
		client.batch.query({ ...query, requestId: 3, consistency: "lease" });
		client.send();
		const answers = await client.until(({ length }) => length === 3);
		expect(answers.map((answer) => "ageMs" in answer && answer.ageMs)).toEqual([
			...[false, 8, false],
		]);
		expect(node.replica.queries.map(({ consistency }) => consistency)).toEqual([
			...["stale", "stale", "lease"],
		]);
	});
});

describe("the machine's own bytes over HTTP", () => {
	it("go in and come out as they are", async () => {
		const node = await startNode();
		const post = (path: string, sent: Uint8Array) =>
			fetch(node.url + path, { method: "POST", body: Buffer.from(sent) });
		const done = await post("/v1/command?format=bytes", bytes);
		expect([done.status, done.headers.get("raftd-index")]).toEqual([200, "1"]);
		expect(done.headers.get("content-type")).toBe("application/octet-stream");
		expect(decodeResult(Buffer.from(await done.arrayBuffer()))).toEqual({
			...{ op: "put", version: 1 },
		});
		// Bytes are in whatever level their sender wrote them in.
		expect(node.replica.proposals[0]?.level).toBeUndefined();
		const taken = await post("/v1/command?format=bytes&ack=none", bytes);
		expect([taken.status, await taken.text()]).toEqual([202, ""]);
		node.replica.staleAgeMs = 3;
		const read = encodeQuery({ op: "get", key: "a" });
		const path = "/v1/query?format=bytes&consistency=stale";
		const answer = await post(path, read);
		expect(answer.headers.get("raftd-age-ms")).toBe("3");
		expect(decodeAnswer(Buffer.from(await answer.arrayBuffer()))).toMatchObject(
			{ found: true },
		);
		const fresh = await post("/v1/query?format=bytes", read);
		expect(fresh.headers.get("raftd-age-ms")).toBeNull();
		const bad = await post("/v1/command?format=bytes", Buffer.from([250]));
		expect([bad.status, bad.headers.get("content-type")]).toEqual([
			...[400, "application/json"],
		]);
	});

	it("of an age without end come as a number", async () => {
		const node = await startNode();
		node.replica.staleAgeMs = Number.POSITIVE_INFINITY;
		const query = `${node.url}/v1/query?consistency=stale`;
		const { headers } = await ask(query, { op: "get", key: "a" });
		expect(headers.get("raftd-age-ms")).toBe("4294967295");
	});
});

describe("levels", () => {
	it("are those that commands in JSON are written in", async () => {
		const levelled = defineMachine<null>({
			name: "levelled",
			levels: { reads: [1, 3], writes: 2 },
			create: () => null,
			apply: (_, command) => command,
			query: (_, query) => query,
			snapshot: () => [],
			restore: () => null,
			json: {
				command: (_json, level) => {
					if (level > 2) throw new MachineInputError("no such level");
					return Buffer.from([level]);
				},
				query: () => Buffer.from([]),
				result: (result) => result[0],
				answer: () => null,
				event: () => null,
			},
		});
		const node = await startNode({ machine: levelled as Machine });
		const command = `${node.url}/v1/command`;
		const at = (level: number) =>
			ask(command, {}, { headers: { "raftd-level": `${level}` } });
		expect(await ask(command, {})).toMatchObject({ json: { result: 1 } });
		await new Promise((done) => node.replica.setWriteLevel(3, done));
		// As high as this release can write.
		expect(await ask(command, {})).toMatchObject({ json: { result: 2 } });
		expect(await at(1)).toMatchObject({ json: { result: 1 } });
		expect(await at(3)).toMatchObject({ status: 400 });
		expect(node.replica.proposals.map(({ level }) => level)).toEqual([
			...[1, 2, 1],
		]);
		node.replica.nextOutcomes.push({
			...{ kind: "rejected", reason: "level" },
			...{ message: "above the cluster's", retryAfterMs: 0 },
		});
		expect(await at(2)).toMatchObject({
			...{ status: 409, json: { error: { code: "level" } } },
		});
	});
});
