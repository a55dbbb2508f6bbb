import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlainRequestReader } from "../../../src/daemon/api/plain-request.js";

const body = '{"op":"put","key":"a","value":"1"}';

describe("a plain request", () => {
	it("is read whole, with what its line asks for", () => {
		const read = new PlainRequestReader().read(
			bytes("POST /v1/command?ack=commit HTTP/1.1", ["Host: h"], body),
		);
		expect(read).toMatchObject({
			method: "POST",
			path: "/v1/command",
			options: "ack=commit",
		});
		expect(`${read?.body}`).toBe(body);
	});

	it("is a query without a body as well", () => {
		const read = new PlainRequestReader().read(
			Buffer.from(
				"GET /v1/query?q=1 HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
			),
		);
		expect(read).toMatchObject({ method: "GET", options: "q=1" });
		expect(read?.body.length).toBe(0);
	});

	it("is read by its own words after others on the same connection", () => {
		const reader = new PlainRequestReader();
		for (const text of [body, body, "{}", `${body} `, body]) {
			const read = reader.read(
				bytes("POST /v1/command HTTP/1.1", ["Host: h"], text),
			);
			expect(`${read?.body}`).toBe(text);
		}
	});

	it.each([
		["another path", "GET /v1/whoami HTTP/1.1"],
		["another version", "POST /v1/command HTTP/1.0"],
		["another method", "PUT /v1/command HTTP/1.1"],
		["a command that is not posted", "GET /v1/command HTTP/1.1"],
		["a fragment", "POST /v1/command?a#b HTTP/1.1"],
		["two spaces", "POST  /v1/command HTTP/1.1"],
		["an absolute address", "POST http://h/v1/command HTTP/1.1"],
	])("is not %s", (_, line) => {
		const request = bytes(line, ["Host: h"], body);
		expect(new PlainRequestReader().read(request)).toBeNull();
	});

	it.each([
		["no host", []],
		["two hosts", ["Host: a", "Host: b"]],
		["two lengths", ["Host: h", `Content-Length: ${body.length}`]],
		["chunks", ["Host: h", "Transfer-Encoding: chunked"]],
		["a wish to be asked first", ["Host: h", "Expect: 100-continue"]],
		["an end", ["Host: h", "Connection: close"]],
		["an upgrade", ["Host: h", "Connection: Upgrade", "Upgrade: websocket"]],
		["a header of ours", ["Host: h", "Raftd-Session: 1"]],
		["a space before the colon", ["Host: h", "Content-Length : 3"]],
		["a folded line", ["Host: h", " more"]],
		["a bare line feed", ["Host: h\nContent-Length: 3"]],
		["a control character", ["Host: h", "X: a\u0001b"]],
		["a byte that is no ASCII", ["Host: h", "X: \u00e9"]],
		["a header without a name", ["Host: h", ": x"]],
	])("has no %s", (_, headers) => {
		const request = bytes("POST /v1/command HTTP/1.1", headers, body);
		expect(new PlainRequestReader().read(request)).toBeNull();
	});

	it.each(["-1", "+34", "0x22", "3 4", "", "1e1", "34, 34"])(
		'has no length of "%s"',
		(length) => {
			const request = Buffer.from(
				`POST /v1/command HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n${body}`,
			);
			expect(new PlainRequestReader().read(request)).toBeNull();
		},
	);

	it("is not what is cut short, or followed by something, wherever that is", () => {
		const whole = bytes("POST /v1/command HTTP/1.1", ["Host: h"], body);
		fc.assert(
			fc.property(fc.nat(whole.length - 1), fc.boolean(), (at, known) => {
				const reader = new PlainRequestReader();
				if (known) reader.read(whole);
				expect(reader.read(whole.subarray(0, at))).toBeNull();
				const more = Buffer.concat([whole, whole.subarray(0, at + 1)]);
				expect(reader.read(more)).toBeNull();
			}),
		);
	});

	it("is told by its header in one pass, however many blanks that has", {
		timeout: 5000,
	}, () => {
		// Cubed, these would be half a minute.
		const blanks = " \t".repeat(1900);
		const request = bytes(
			"POST /v1/command HTTP/1.1",
			["Host: h", `X:${blanks}\u0001`],
			body,
		);
		for (let again = 0; again < 1000; again++)
			expect(new PlainRequestReader().read(request)).toBeNull();
	});

	it("may have blanks around what its header says", () => {
		const text = `POST /v1/command HTTP/1.1\r\nHost:\th \t\r\nContent-Length: \t ${body.length}\t \r\nX:\r\n\r\n${body}`;
		const read = new PlainRequestReader().read(Buffer.from(text));
		expect(`${read?.body}`).toBe(body);
	});

	it("is not a header too long to be kept", () => {
		const request = bytes(
			"POST /v1/command HTTP/1.1",
			["Host: h", `X: ${"x".repeat(5000)}`],
			body,
		);
		expect(new PlainRequestReader().read(request)).toBeNull();
	});
});

function bytes(line: string, headers: readonly string[], text: string): Buffer {
	const lines = [line, ...headers, `Content-Length: ${text.length}`];
	return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${text}`, "latin1");
}
