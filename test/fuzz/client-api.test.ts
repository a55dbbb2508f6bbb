import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, it } from "vitest";
import {
	type ClientApi,
	startClientApi,
} from "../../src/daemon/api/client-api.js";
import { kv } from "../../src/machines/kv/machine.js";
import type { Machine } from "../../src/machines/machine.js";
import { maxRequestFrameBytes } from "../../src/wire/client-frames.js";
import { FakeReplica } from "../fakes/fake-replica.js";
import type { Random } from "../sim/random.js";
import { soundRequest } from "./client-frame-samples.js";
import { converse, ended, statusesIn } from "./conversation.js";
import { fuzz } from "./fuzz.js";
import {
	httpRequest,
	jsonRequest,
	upgrades,
	webSocketFrame,
} from "./http-samples.js";
import { chunked, garbage, mutated } from "./mutations.js";

let api: ClientApi;
let replica: FakeReplica;

beforeAll(async () => {
	replica = new FakeReplica(kv as Machine, { maxEvents: 1000 });
	api = await startClientApi({
		replica,
		machine: kv as Machine,
		listen: "127.0.0.1:0",
		nodeId: "n1",
		limits: { closeTimeoutMs: 500, requestTimeoutMs: 2000 },
	});
});

afterAll(async () => {
	await replica.close();
	await api.close();
});

/** Nothing of it was the node's own mistake, and the node goes on. */
async function expectAlive(heard: string): Promise<void> {
	// 501 and 503 are answers of the replica: not known to it, or not in time.
	for (const status of statusesIn(heard))
		assert(
			status < 500 || status === 501 || status === 503,
			`${status} in ${heard.slice(0, 300)}`,
		);
	const still = await converse(api.port, [
		Buffer.from("GET /v1/whoami HTTP/1.1\r\nHost: h\r\n\r\n"),
	]);
	assert.deepEqual(statusesIn(still), [200]);
	await expectNothingLeft();
}

async function expectNothingLeft(): Promise<void> {
	for (let tries = 0; tries < 1000; tries += 1) {
		if (api.inflight() === 0 && api.connections().total === 0) return;
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	assert.fail(
		`${api.inflight()} requests and ${api.connections().total} connections are left`,
	);
}

const several = (random: Random, draw: (random: Random) => Buffer) =>
	Array.from({ length: random.whole(1, 6) }, () => draw(random));

describe("the client port", () => {
	fuzz(
		"answers whatever HTTP, or ends it, and goes on",
		300,
		async (random) => {
			const bytes = Buffer.concat(several(random, httpRequest));
			const given = random.chance(0.3) ? mutated(bytes, random) : bytes;
			await expectAlive(await converse(api.port, chunked(given, random)));
		},
	);

	fuzz("answers whatever JSON, and goes on", 200, async (random) => {
		const requests = several(random, jsonRequest);
		const heard = await converse(api.port, requests);
		assert.equal(statusesIn(heard).length, requests.length);
		await expectAlive(heard);
	});

	fuzz("ends whatever is no HTTP, and goes on", 50, async (random) => {
		const bytes = garbage(random, random.whole(1, 3000));
		await expectAlive(await converse(api.port, chunked(bytes, random)));
	});

	fuzz("reads whatever a WebSocket sends, and goes on", 200, async (random) => {
		const frames = Buffer.concat(several(random, webSocketFrame));
		const given = random.chance(0.2) ? mutated(frames, random) : frames;
		const opening = Buffer.from(upgrades.websocket);
		const chunks = random.chance(0.5)
			? [Buffer.concat([opening, given])]
			: [opening, ...chunked(given, random)];
		await expectAlive(await converse(api.port, chunks));
	});

	fuzz("reads whatever a stream sends, and goes on", 200, async (random) => {
		const frames = several(random, framed);
		const bytes = Buffer.concat([Buffer.from(upgrades.stream), ...frames]);
		const given = random.chance(0.2) ? mutated(bytes, random) : bytes;
		await expectAlive(await converse(api.port, chunked(given, random)));
	});

	fuzz("ends what stops half way through an upgrade", 50, async (random) => {
		const whole = Buffer.from(random.pick(Object.values(upgrades)));
		const half = whole.subarray(0, random.below(whole.length));
		await expectAlive(await converse(api.port, [half]));
	});

	it("has nothing left over from all that", expectNothingLeft);

	it("takes memory for what has come, not for what is announced", async () => {
		const announced = [
			"POST /v1/command HTTP/1.1\r\nHost: h\r\nContent-Length: 1073741824\r\n\r\n{",
			"POST /v1/query HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3fffffff\r\n{",
			`${upgrades.websocket}\x81\xff\x00\x00\x00\x00\x00\x1f\x00\x00aaaaaa`,
			`${upgrades.stream}${lengthField(maxRequestFrameBytes)}aaaaaa`,
		];
		const before = process.memoryUsage().arrayBuffers;
		const sockets: Socket[] = [];
		for (const text of announced)
			for (let count = 0; count < 50; count += 1) {
				const socket = connect(api.port, "127.0.0.1");
				socket.on("error", () => {}).resume();
				socket.write(text, "latin1");
				sockets.push(socket);
			}
		while (api.connections().total < sockets.length)
			await new Promise((resolve) => setTimeout(resolve, 5));
		await converse(api.port, [
			Buffer.from("GET /v1/whoami HTTP/1.1\r\nHost: h\r\n\r\n"),
		]);
		const grownBytes = process.memoryUsage().arrayBuffers - before;
		for (const socket of sockets) socket.destroy();
		await Promise.all(sockets.map(ended));
		// By what they announce, the streams alone would take 100 MiB.
		assert(grownBytes < 32 * 1024 * 1024, `${grownBytes} bytes`);
		await expectNothingLeft();
	});
});

function lengthField(bytes: number): string {
	const field = Buffer.alloc(4);
	field.writeUInt32LE(bytes);
	return field.toString("latin1");
}

/** A frame with its length, which now and then is another's. */
function framed(random: Random): Buffer {
	const sound = soundRequest(random, random.below(20));
	const frame = random.chance(0.5)
		? mutated(sound, random, soundRequest(random))
		: sound;
	const length = random.chance(0.95) ? frame.length : random.below(2 ** 32);
	return Buffer.concat([Buffer.from(lengthField(length), "latin1"), frame]);
}
