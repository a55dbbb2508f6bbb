import { createHash } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { Random } from "../sim/random.js";
import { soundAnswer } from "./client-frame-samples.js";
import { garbage, mutated } from "./mutations.js";

export interface HostileServer {
	readonly endpoint: string;
	close(): void;
}

/** How a server may answer a connection; drawn anew for each. */
type Manner = (socket: Socket, random: Random) => void;

/** Listens, and does to each connection what `random` draws; `other` is where it may say that the leader is. */
export function hostileServer(
	random: Random,
	other = "127.0.0.1:1",
): Promise<HostileServer> {
	const sockets = new Set<Socket>();
	const server: Server = createServer((socket) => {
		sockets.add(socket);
		socket.on("error", () => {}).on("close", () => sockets.delete(socket));
		random.pick(manners(other))(socket, random);
	});
	return new Promise((resolve) =>
		server.listen(0, "127.0.0.1", () => {
			const address = server.address() as { port: number };
			resolve({
				endpoint: `127.0.0.1:${address.port}`,
				close() {
					server.close();
					for (const socket of sockets) socket.destroy();
				},
			});
		}),
	);
}

function manners(other: string): readonly Manner[] {
	const streaming: Manner = (socket, random) => stream(socket, random, other);
	return [
		...[streaming, streaming, streaming, streaming],
		...[websocket, websocket, plain, plain],
		(socket) => socket.resetAndDestroy(),
		(socket) => socket.end(),
		(socket) => socket.resume(),
		(socket, random) => {
			socket.write(garbage(random, random.below(100)));
			if (random.chance(0.5)) socket.end();
		},
	];
}

/** Answers the upgrade, and then each chunk, by frames that are right, nearly right, or nobody's. */
function stream(socket: Socket, random: Random, other: string): void {
	let isOpen = false;
	socket.on("data", () => {
		if (!isOpen) {
			isOpen = true;
			socket.write(opening(random, "raftd-stream/1", other));
			return;
		}
		for (let left = random.whole(1, 8); left > 0; left -= 1)
			socket.write(frame(random));
		const end = random.below(5);
		if (end === 0) socket.resetAndDestroy();
		else if (end === 1) socket.end();
	});
}

function frame(random: Random): Buffer {
	const sound = soundAnswer(random, random.whole(0, 8));
	const body = random.chance(0.6)
		? sound
		: mutated(sound, random, soundAnswer(random, random.whole(1, 8)));
	const length = Buffer.alloc(4);
	length.writeUInt32LE(
		random.chance(0.95) ? body.length : random.below(2 ** 32),
	);
	return Buffer.concat([length, body]);
}

function opening(random: Random, protocol: string, other: string): Buffer {
	const sound = Buffer.from(
		[
			"HTTP/1.1 101 Switching Protocols",
			"Connection: Upgrade",
			`Upgrade: ${protocol}`,
			"raftd-node: n1",
			random.pick([
				"raftd-stream-features: sessions, levels, lease, age",
				"raftd-stream-features: ,,nonsense",
				"x: y",
			]),
			`raftd-leader: ${random.pick([other, "", "nowhere", "a:b:c", "[::1]:99999"])}`,
			"\r\n",
		].join("\r\n"),
	);
	return random.chance(0.7) ? sound : mutated(sound, random);
}

const messages = [
	'{"type":"progress","index":7}',
	'{"type":"progress","index":-1}',
	'{"type":"progress","index":9007199254740993}',
	'{"type":"events","events":[{"index":8,"event":{"op":"put","key":"a","value":"b"}}]}',
	'{"type":"events","events":[{"index":9,"event":null}]}',
	'{"type":"events","events":[{"index":9,"event":{"op":"put","key":null}}]}',
	'{"type":"events","events":[{"index":10,"event":{"op":7,"key":{"base64":1}}}]}',
	'{"type":"events","events":[{"index":11}]}',
	'{"type":"events","events":[]}',
	'{"type":"events","events":{"0":1}}',
	'{"type":"other"}',
	'{"type":"__proto__"}',
	"[]",
	"null",
	"",
	"{",
];

function websocket(socket: Socket, random: Random): void {
	let heard = "";
	socket.on("data", (chunk) => {
		heard += chunk.toString("latin1");
		const key = /sec-websocket-key: (\S+)\r\n[\s\S]*\r\n\r\n/i.exec(heard)?.[1];
		if (key === undefined) return;
		heard = "";
		socket.write(webSocketOpening(random, key));
		for (let left = random.whole(0, 6); left > 0; left -= 1)
			socket.write(webSocketMessage(random));
		if (random.chance(0.3)) socket.end();
	});
}

/** Of RFC 6455, section 1.3. */
const webSocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function webSocketOpening(random: Random, key: string): Buffer {
	const accept = createHash("sha1").update(key + webSocketGuid);
	const lines = [
		"HTTP/1.1 101 Switching Protocols",
		"Connection: Upgrade",
		"Upgrade: websocket",
		`Sec-WebSocket-Accept: ${accept.digest("base64")}`,
		"raftd-node: n1",
	];
	const sound = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
	return random.chance(0.9) ? sound : mutated(sound, random);
}

function webSocketMessage(random: Random): Buffer {
	const text = Buffer.from(random.pick(messages));
	const sound = Buffer.concat([Buffer.from([0x81, text.length]), text]);
	return random.chance(0.7) ? sound : mutated(sound, random);
}

/** As a node behind a proxy that lets no upgrade pass; or as that proxy. */
function plain(socket: Socket, random: Random): void {
	socket.on("data", () => {
		const body = random.pick([
			'{"error":{"code":"overloaded","outcome":"rejected","message":"m"}}',
			'{"error":{"code":"made-up","outcome":7,"message":{}}}',
			'{"error":null}',
			'{"id":7,"ttlMs":1}',
			'{"leaderClient":7}',
			"null",
			"\x00\x01",
			"",
		]);
		const lines = [
			`HTTP/1.1 ${random.pick([200, 200, 200, 202, 204, 302, 400, 413, 426, 429, 500, 501, 503, 999])} X`,
			`Content-Length: ${random.chance(0.9) ? body.length : random.below(1000)}`,
			...(random.chance(0.8) ? ["raftd-node: n1"] : []),
			...(random.chance(0.8)
				? [`raftd-index: ${random.pick(["7", "-1", "x", "1e99", ""])}`]
				: []),
			...(random.chance(0.3) ? ["raftd-age-ms: 5"] : []),
			...(random.chance(0.3) ? ["Retry-After: 99999999999"] : []),
		];
		const sound = Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
		socket.write(random.chance(0.8) ? sound : mutated(sound, random));
		if (random.chance(0.2)) socket.end();
	});
}
