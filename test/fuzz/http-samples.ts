import type { Random } from "../sim/random.js";
import { mutatedJson } from "./json-mutations.js";
import { garbage } from "./mutations.js";

const methods = [
	"GET",
	"GET",
	"POST",
	"POST",
	"HEAD",
	"PUT",
	"OPTIONS",
	"TRACE",
	"CONNECT",
	"PRI",
	"get",
	"G\0T",
	"X".repeat(300),
];

const paths = [
	"/",
	"/v1/whoami",
	"/v1/command",
	"/v1/command",
	"/v1/query",
	"/v1/query",
	"/v1/events",
	"/v1/stream",
	"//v1/query",
	"/v1/../v1/query",
	"/v1/query/",
	"/__proto__",
	"/constructor",
	"*",
	"http://h/v1/whoami",
	"/%00",
	"/\u00ff",
	"/\u001b[2J",
	`/${"a".repeat(20_000)}`,
	"",
];

const options = [
	"ack=commit",
	"ack=never",
	"ack=none",
	"timeout-ms=5",
	"timeout-ms=-1",
	"timeout-ms=1e3",
	"timeout-ms=99999999999999999999",
	"consistency=stale",
	"consistency=lease",
	"consistency=%ff",
	"min-index=0",
	"min-index=281474976710656",
	"min-index=0x10",
	"from=1",
	"from=18446744073709551615",
	"level=1",
	"level=256",
	"session=1",
	"sequence=1",
	"acknowledged=1",
	'q={"op":"get","key":"a"}',
	"q=%7B%22op%22%3A%22list%22%7D",
	"q=%",
	"q",
	"__proto__=1",
	"ack=commit&ack=apply",
	"=",
	"&&&",
	"a=b#c",
];

const headers = [
	"Host: h",
	"Host: other",
	"Connection: keep-alive",
	"Connection: close",
	"Connection: Upgrade",
	"Upgrade: websocket",
	"Upgrade: raftd-stream/1",
	"Upgrade: h2c, websocket",
	"Sec-WebSocket-Version: 13",
	"Sec-WebSocket-Version: 99",
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	"Sec-WebSocket-Key: short",
	"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
	"Sec-WebSocket-Protocol: a, a",
	"Expect: 100-continue",
	"Expect: nothing",
	"Content-Type: application/json",
	"Content-Type: application/octet-stream",
	"Accept: application/octet-stream",
	"Accept: text/html;q=x, ,;",
	"Content-Encoding: gzip",
	"Transfer-Encoding: chunked",
	"Transfer-Encoding: gzip, chunked",
	"Transfer-Encoding: identity",
	"Content-Length: 0",
	"Content-Length: 7",
	"Content-Length: -1",
	"Content-Length: 1073741824",
	"Content-Length: 18446744073709551616",
	"Raftd-Session: 1",
	"Raftd-Level: 1",
	"Trailer: Expires",
	"X: \u0000",
	"X: \u00ff\u0080",
	"X",
	": x",
	" folded: x",
	"X: y\nZ: w",
	`X: ${"a".repeat(3000)}`,
];

const said: readonly unknown[] = [
	{ op: "put", key: "a", value: "b" },
	{ op: "put", key: { base64: "AA==" }, value: "" },
	{ op: "cas", key: "a", expect: 3, value: "c" },
	{ op: "delete", key: "a" },
	{ op: "get", key: "a" },
	{ op: "list", prefix: "", limit: 10, after: null },
];

/** An HTTP request as somebody might send it; most are nearly right. */
export function httpRequest(random: Random): Buffer {
	const asked = Array.from({ length: random.pick([0, 0, 0, 1, 2]) }, () =>
		random.pick(options),
	);
	const query = asked.length === 0 ? "" : `?${asked.join("&")}`;
	const version = random.chance(0.95) ? "HTTP/1.1" : "HTTP/9.7";
	const lines = [
		`${random.pick(methods)} ${random.pick(paths)}${query} ${version}`,
		...(random.chance(0.95) ? ["Host: h"] : []),
		...Array.from({ length: random.pick([0, 0, 0, 1, 2, 12]) }, () =>
			random.pick(headers),
		),
	];
	const body = jsonBody(random);
	const framed = random.below(4);
	if (framed === 0) lines.push(`Content-Length: ${body.length}`);
	if (framed === 1) lines.push("Transfer-Encoding: chunked");
	return Buffer.concat([
		Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"),
		framed === 1 ? inChunks(body, random) : body,
	]);
}

/** A command that would be taken, but for its JSON. */
export function jsonRequest(random: Random): Buffer {
	const body = jsonBody(random);
	const path = random.pick(["/v1/command", "/v1/query"]);
	const head = `POST ${path}?timeout-ms=50 HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`;
	return Buffer.concat([Buffer.from(head), body]);
}

function jsonBody(random: Random): Buffer {
	if (random.chance(0.1)) return garbage(random, random.below(60));
	if (random.chance(0.05)) {
		const depth = random.pick([100, 200, 50_000]);
		return Buffer.from("[".repeat(depth) + "]".repeat(depth));
	}
	const json = random.pick(said);
	return random.chance(0.4)
		? Buffer.from(JSON.stringify(json))
		: mutatedJson(json, random);
}

function inChunks(body: Buffer, random: Random): Buffer {
	const size = random.pick([
		body.length.toString(16),
		`${body.length.toString(16)};x=y`,
		"ffffffffffffffff",
		"-1",
		"zz",
		"0",
	]);
	const end = random.pick(["0\r\n\r\n", "0\r\nX: y\r\n\r\n", ""]);
	return Buffer.concat([
		Buffer.from(`${size}\r\n`),
		body,
		Buffer.from(`\r\n${end}`),
	]);
}

export const upgrades = {
	stream:
		"GET /v1/stream HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: raftd-stream/1\r\n\r\n",
	websocket:
		"GET /v1/events HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
} as const;

/** A frame of a WebSocket client: sound, or with another opcode, length, mask or flags. */
export function webSocketFrame(random: Random): Buffer {
	const message = {
		...{ id: random.below(9), timeoutMs: 50 },
		[random.pick(["command", "query"])]: random.pick(said),
	};
	const payload = random.pick([
		() => Buffer.from(JSON.stringify(message)),
		() => mutatedJson(message, random),
		() => mutatedJson(message, random),
		() => garbage(random, random.below(40)),
	])();
	const first = random.chance(0.7) ? 0x81 : random.below(256);
	const announced = random.chance(0.9)
		? payload.length
		: random.pick([0, 126, 127, 2 ** 31, 2 ** 53 - 1]);
	const masked = random.chance(0.95) ? 0x80 : 0;
	const mask = garbage(random, 4);
	const head =
		announced < 126
			? Buffer.from([first, masked | announced])
			: Buffer.alloc(announced < 65_536 ? 4 : 10);
	if (announced >= 126) {
		head[0] = first;
		head[1] = masked | (announced < 65_536 ? 126 : 127);
		if (announced < 65_536) head.writeUInt16BE(announced, 2);
		else head.writeBigUInt64BE(BigInt(announced), 2);
	}
	const bytes = payload.map((byte, at) => byte ^ (mask[at % 4] as number));
	return Buffer.concat([head, ...(masked ? [mask] : []), bytes]);
}
