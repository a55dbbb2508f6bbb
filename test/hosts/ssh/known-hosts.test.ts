import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	fingerprint,
	judgeKey,
	matchesPattern,
	parseKnownHosts,
	typesFor,
	writtenLine,
	writtenName,
} from "../../../src/hosts/ssh/known-hosts.js";

/** A key as SSH sends it; what is in it does not matter here. */
function keyOf(content: string, type = "ssh-ed25519"): Buffer {
	const parts = [type, content].map((part) => {
		const length = Buffer.alloc(4);
		length.writeUInt32BE(Buffer.byteLength(part));
		return Buffer.concat([length, Buffer.from(part)]);
	});
	return Buffer.concat(parts);
}

const [a, b] = [keyOf("a"), keyOf("b")];
const [encodedA, encodedB] = [a, b].map((key) => key.toString("base64"));

function judge(text: string, host: string, key = a, port = 22) {
	return judgeKey(parseKnownHosts(text, "known"), { host, port }, key);
}

describe("known_hosts", () => {
	it.each([
		["h1", "h1", 22, "known"],
		["h1", "H1", 22, "known"],
		["h2", "h1", 22, "unknown"],
		["h1,10.0.0.1", "10.0.0.1", 22, "known"],
		["*.example.net", "n1.example.net", 22, "known"],
		["*.example.net,!n1.example.net", "n1.example.net", 22, "unknown"],
		["!n1.example.net,*.example.net", "n2.example.net", 22, "known"],
		["h?", "h1", 22, "known"],
		["h?", "h12", 22, "unknown"],
		["[h1]:2222", "h1", 2222, "known"],
		["[h1]:2222", "h1", 22, "unknown"],
		["[h1]:2222", "h1", 2223, "unknown"],
		["[fe80::1]:2222", "fe80::1", 2222, "known"],
		["[*]:2222", "h1", 2222, "known"],
		["h1", "h1", 2222, "known"],
	])("with a line of %s says of %s at port %i: %s", (names, host, port, is) => {
		const text = `${names} ssh-ed25519 ${encodedA} comment here\n`;
		expect(judge(text, host, a, port)).toMatchObject({ is });
	});

	it("calls every other key of a host that has one changed, of another type, too", () => {
		const text = `\n# h1\nh1 ssh-ed25519 ${encodedA}\n`;
		for (const key of [b, keyOf("a", "ssh-rsa")])
			expect(judge(text, "h1", key)).toMatchObject({
				is: "changed",
				known: [{ file: "known", line: 3, type: "ssh-ed25519" }],
			});
	});

	it("does not call a key at another port changed for the bare name's sake", () => {
		const text = `h1 ssh-ed25519 ${encodedA}\n`;
		expect(judge(text, "h1", b, 2222).is).toBe("unknown");
	});

	it("knows a host by any one of its keys", () => {
		const text = `h1 ssh-ed25519 ${encodedA}\nh1 ssh-ed25519 ${encodedB}\n`;
		expect(judge(text, "h1", b).is).toBe("known");
	});

	it("calls a revoked key revoked wherever else it stands, and only that key", () => {
		const known = `h1 ssh-ed25519 ${encodedA}\n`;
		const revoked = `@revoked * ssh-ed25519 ${encodedA}\n`;
		for (const text of [known + revoked, revoked + known])
			expect(judge(text, "h1").is).toBe("revoked");
		expect(judge(`${revoked}h1 ssh-ed25519 ${encodedB}\n`, "h1", b).is).toBe(
			"known",
		);
		// Of other hosts it is not said.
		const other = `@revoked h2 ssh-ed25519 ${encodedA}\n`;
		expect(judge(known + other, "h1").is).toBe("known");
	});

	it("does not take an authority's key, or a marker that it does not know, for a host's", () => {
		for (const marker of ["@cert-authority", "@trusted"])
			expect(judge(`${marker} h1 ssh-ed25519 ${encodedA}\n`, "h1").is).toBe(
				"unknown",
			);
	});

	it("leaves out what is no line of it", () => {
		const text = [
			...["h1", "h1 ssh-ed25519", "h1 ssh-ed25519 !!!!"],
			...[`h1 ssh-rsa ${encodedA}`, "h1 1024 35 1234567890"],
			...["   ", "#", `h1 ssh-ed25519 ${encodedA?.slice(0, 8)}`],
		].join("\r\n");
		expect(parseKnownHosts(text, "known")).toEqual([]);
	});

	it("finds what it writes, for every name and port", () => {
		const name = fc.record({
			host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
			port: fc.integer({ min: 1, max: 65_535 }),
		});
		fc.assert(
			fc.property(name, fc.string(), (host, content) => {
				const key = keyOf(content);
				const known = parseKnownHosts(writtenLine(host, key), "known");
				expect(judgeKey(known, host, key)).toEqual({ is: "known" });
				expect(typesFor(known, host)).toEqual(["ssh-ed25519"]);
				expect(judgeKey(known, host, keyOf(`${content}x`)).is).toBe("changed");
			}),
		);
	});

	it("reads any text to an end", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary" }), (text) => {
				for (const { key, type } of parseKnownHosts(text, "known"))
					expect(key.toString("latin1", 4, 4 + type.length)).toBe(type);
			}),
		);
	});
});

describe("beside ssh-keygen", () => {
	const directory = mkdtempSync(join(tmpdir(), "raftctl-known-"));
	const file = join(directory, "known_hosts");
	let line = "";
	beforeAll(() => {
		execFileSync("ssh-keygen", [
			...["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")],
		]);
		line = readFileSync(join(directory, "key.pub"), "utf8");
	});
	afterAll(() => rmSync(directory, { recursive: true }));

	it("finds the same hosts, also where ssh-keygen has hashed them", () => {
		const names = ["h1", "[h1]:2222", "10.0.0.1", "n1.example.net", "[::1]:22"];
		writeFileSync(file, names.map((name) => `${name} ${line}`).join(""));
		spawnSync("ssh-keygen", ["-H", "-f", file]);
		const text = readFileSync(file, "utf8");
		expect(text).not.toContain("h1 ");
		const known = parseKnownHosts(text, file);
		const key = known[0]?.key ?? Buffer.alloc(0);
		const hosts = [...names, "h2", "[h2]:2222", "[h1]:2223", "::1"];
		for (const name of hosts) {
			const [, host = name, port = "22"] = /^\[(.*)\]:(\d+)$/.exec(name) ?? [];
			if (writtenName({ host, port: Number(port) }) !== name) continue;
			const theirs = spawnSync("ssh-keygen", ["-F", name, "-f", file]);
			const ours = judgeKey(known, { host, port: Number(port) }, key).is;
			// At another port the bare name counts, too; ssh-keygen is asked for one name only.
			if (name !== "[h1]:2223")
				expect([name, ours === "known"]).toEqual([name, theirs.status === 0]);
		}
		const shown = execFileSync("ssh-keygen", [
			...["-lf", join(directory, "key.pub")],
		]).toString();
		expect(shown).toContain(fingerprint(key));
	});
});

describe("a pattern", () => {
	const letters = fc.string({
		unit: fc.constantFrom("a", "b", "."),
		maxLength: 8,
	});
	const pattern = fc.string({
		unit: fc.constantFrom("a", "b", ".", "*", "?"),
		maxLength: 8,
	});

	it("matches as the regular expression of the same meaning does", () => {
		fc.assert(
			fc.property(pattern, letters, (written, text) => {
				const expression = written
					.replaceAll(".", "\\.")
					.replaceAll("*", ".*")
					.replaceAll("?", ".");
				expect(matchesPattern(written, text)).toBe(
					new RegExp(`^${expression}$`).test(text),
				);
			}),
			{ numRuns: 2_000 },
		);
	});

	it("takes no longer for many stars", () => {
		expect(matchesPattern("*a".repeat(60), "a".repeat(20_000))).toBe(true);
		expect(matchesPattern(`${"*a".repeat(60)}b`, "a".repeat(20_000))).toBe(
			false,
		);
	});
});
