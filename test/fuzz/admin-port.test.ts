import assert from "node:assert/strict";
import http2 from "node:http2";
import { afterAll, beforeAll, describe } from "vitest";
import { type AdminNode, startAdminNode } from "../daemon/admin/admin-node.js";
import type { Random } from "../sim/random.js";
import { converse, speak, statusesIn } from "./conversation.js";
import { fuzz } from "./fuzz.js";
import { httpRequest } from "./http-samples.js";
import { mutatedJson } from "./json-mutations.js";
import { chunked, garbage, mutated } from "./mutations.js";

let node: AdminNode;
let port: number;

beforeAll(async () => {
	node = await startAdminNode();
	port = Number(node.address.split(":")[1]);
});

afterAll(() => node.server.close());

const calls: readonly (readonly [string, object])[] = [
	["GetStatus", {}],
	["GetReadIndex", { timeoutMs: 5 }],
	["Drain", { leaseMs: 1000, close: true, closeOverMs: 5, fencingToken: "0" }],
	["Undrain", { fencingToken: "0" }],
	["TransferLeadership", { target: "n2", fencingToken: "0" }],
	[
		"AcquireLock",
		{ holder: "a", host: "h", nonce: "x", operation: "o", ttlMs: 1000 },
	],
	["RenewLock", { fencingToken: "11", ttlMs: 1000, step: "s" }],
	["ReleaseLock", { fencingToken: "11" }],
	["SetWriteLevel", { level: 2, fencingToken: "0" }],
	["ClearAlarm", { kind: "state-differs", node: "n1", fencingToken: "0" }],
	["TakeSnapshot", {}],
	[
		"ChangeMembership",
		{
			expectedIndex: "1",
			waived: ["catch-up"],
			fencingToken: "0",
			changes: [
				{
					...{ id: "n4", type: "add", peerAddress: "127.0.0.1:1" },
					...{ clientAddress: "127.0.0.1:2", adminAddress: "127.0.0.1:3" },
				},
				{ id: "n2", type: "demote" },
			],
		},
	],
];

const contentTypes = [
	"application/json",
	"application/json",
	"application/json",
	"application/json; charset=utf-16",
	"application/proto",
	"application/connect+json",
	"application/grpc",
	"application/grpc+json",
	"application/grpc-web+proto",
	"text/plain",
	"",
];

function connectRequest(random: Random): Buffer {
	const [method, message] = random.pick(calls);
	const body = random.chance(0.2)
		? Buffer.from(JSON.stringify(message))
		: mutatedJson(message, random);
	const lines = [
		`${random.chance(0.9) ? "POST" : "GET"} /raftctl.admin.v1.AdminService/${method}${random.chance(0.1) ? "?connect=v1&encoding=json&message=%7B%7D" : ""} HTTP/1.1`,
		"Host: h",
		`Content-Type: ${random.pick(contentTypes)}`,
		`Content-Length: ${body.length}`,
		...(random.chance(0.1) ? ["Connect-Timeout-Ms: -1"] : []),
		...(random.chance(0.1) ? ["Connect-Protocol-Version: 99"] : []),
		...(random.chance(0.1) ? ["Content-Encoding: gzip"] : []),
	];
	const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
	return Buffer.concat([head, body]);
}

/**
 * What has gone wrong in the node would be told to `onInternalError`, and answered 500. 501 and 503 are answers: a call
 * that there is not, a node that is not ready. What is no protobuf is called internal by the library.
 */
async function expectAlive(heard: string): Promise<void> {
	assert.deepEqual(node.internalErrors, []);
	for (const status of statusesIn(heard))
		assert(
			status < 500 ||
				status === 501 ||
				status === 503 ||
				heard.includes('"parse binary: '),
			`${status} in ${heard}`,
		);
	const still = await converse(port, [
		Buffer.from("GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
	]);
	assert.deepEqual(statusesIn(still), [200]);
}

const several = (random: Random, draw: (random: Random) => Buffer) =>
	Array.from({ length: random.whole(1, 4) }, () => draw(random));

describe("the admin port", () => {
	fuzz(
		"answers whatever message of a call, and goes on",
		300,
		async (random) => {
			const heard = await converse(port, several(random, connectRequest));
			await expectAlive(heard);
		},
	);

	fuzz(
		"answers whatever HTTP, or ends it, and goes on",
		150,
		async (random) => {
			const bytes = Buffer.concat(several(random, httpRequest));
			const given = random.chance(0.3) ? mutated(bytes, random) : bytes;
			await expectAlive(await converse(port, chunked(given, random)));
		},
	);

	fuzz(
		"ends whatever is no HTTP/2 behind its first words",
		150,
		async (random) => {
			const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
			const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
			const rest = garbage(random, random.below(200));
			const bytes = Buffer.concat([preface, settings, settings, rest]);
			const given = random.chance(0.5) ? mutated(bytes, random) : bytes;
			await speak(port, given);
			await expectAlive("");
		},
	);

	fuzz("answers whatever gRPC, and goes on", 150, async (random) => {
		const [method] = random.pick(calls);
		const message = garbage(random, random.below(40));
		const head = Buffer.alloc(5);
		head[0] = random.chance(0.8) ? 0 : random.below(256);
		head.writeUInt32BE(
			random.chance(0.7) ? message.length : random.below(2 ** 32),
			1,
		);
		await askOverHttp2(`/raftctl.admin.v1.AdminService/${method}`, {
			type: random.pick(["application/grpc", "application/grpc+proto", "x"]),
			body: Buffer.concat([head, message]),
		});
		await expectAlive("");
	});
});

/** Resolves when the call has ended, in whatever way. */
function askOverHttp2(
	path: string,
	{ type, body }: { readonly type: string; readonly body: Buffer },
): Promise<void> {
	return new Promise((resolve) => {
		const session = http2.connect(`http://${node.address}`);
		session.on("error", () => {});
		session.on("close", () => resolve());
		const call = session.request({
			...{ ":method": "POST", ":path": path },
			...{ "content-type": type, te: "trailers" },
		});
		call.on("error", () => {}).on("close", () => session.close());
		call.resume().end(body);
	});
}
