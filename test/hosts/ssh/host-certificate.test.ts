import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	judgeCertificate,
	parseCertificate,
} from "../../../src/hosts/ssh/host-certificate.js";
import { parseKnownHosts } from "../../../src/hosts/ssh/known-hosts.js";
import { Desk, makeKey } from "./sshd.js";

const desk = new Desk();
const file = (name: string) => join(desk.directory, name);
const types = ["ed25519", "ecdsa", "rsa"] as const;

/** The key's certificate, signed by an authority of this name. */
function sign(key: string, authority: string, ...words: readonly string[]) {
	rmSync(`${key}-cert.pub`, { force: true });
	execFileSync(
		"ssh-keygen",
		["-q", "-s", file(authority), "-I", "test", ...words, `${key}.pub`],
		{ stdio: "ignore" },
	);
	const [, encoded = ""] = readFileSync(`${key}-cert.pub`, "utf8").split(" ");
	return Buffer.from(encoded, "base64");
}

function authorityLine(authority: string, names = "*"): string {
	return `@cert-authority ${names} ${readFileSync(`${file(authority)}.pub`, "utf8")}`;
}

beforeAll(() => {
	for (const type of types) makeKey(file(`ca-${type}`), { type });
	makeKey(file("host"), {});
	makeKey(file("host-ecdsa"), { type: "ecdsa" });
});
afterAll(() => desk.close());

describe("a host's certificate", () => {
	const name = { host: "127.0.0.1", port: 2222 };
	const judge = (shown: Buffer, text: string, nowMs = Date.now()) => {
		const known = parseKnownHosts(text, "known_hosts");
		return judgeCertificate(known, name, { shown, nowMs });
	};
	const hostWords = ["-h", "-n", "127.0.0.1", "-V", "-1m:+1h"];

	it.each(types)("is vouched for by an authority of the kind %s", (type) => {
		for (const host of ["host", "host-ecdsa"]) {
			const shown = sign(file(host), `ca-${type}`, ...hostWords);
			const verdict = judge(shown, authorityLine(`ca-${type}`));
			expect(verdict.is).toBe("vouched");
			const plain = readFileSync(`${file(host)}.pub`, "utf8").split(" ")[1];
			expect("key" in verdict && verdict.key.toString("base64")).toBe(plain);
		}
	});

	it("proves nothing where anything about it is wrong", () => {
		const good = () => sign(file("host"), "ca-ed25519", ...hostWords);
		const line = authorityLine("ca-ed25519");
		const why = (shown: Buffer, text = line, nowMs = Date.now()) => {
			const verdict = judge(shown, text, nowMs);
			return "why" in verdict ? verdict.why : verdict.is;
		};
		expect(why(good())).toBe("vouched");
		const unknown = "no known authority signed it";
		expect(why(good(), authorityLine("ca-ecdsa"))).toBe(unknown);
		expect(why(good(), authorityLine("ca-ed25519", "*.net"))).toBe(unknown);
		const revoked = line.replace("@cert-authority", "@revoked");
		expect(why(good(), line + revoked)).toBe(unknown);
		const [hour, now] = [3_600_000, Date.now()];
		expect(why(good(), line, now + 2 * hour)).toBe("it has expired");
		expect(why(good(), line, now - hour)).toBe("it is not valid yet");
		expect(why(sign(file("host"), "ca-ed25519", "-h", "-n", "h1,h2"))).toBe(
			"it is for h1, h2",
		);
		expect(why(sign(file("host"), "ca-ed25519", "-h"))).toBe(
			"it is for nobody",
		);
		expect(why(sign(file("host"), "ca-ed25519", "-n", "127.0.0.1"))).toBe(
			"it is a user's, not a host's",
		);
	});

	it("proves nothing with any bit of it turned over", () => {
		for (const type of types) {
			const good = sign(file("host"), `ca-${type}`, ...hostWords);
			const line = authorityLine(`ca-${type}`);
			expect(judge(good, line).is).toBe("vouched");
			fc.assert(
				fc.property(fc.integer({ min: 0, max: good.length * 8 - 1 }), (bit) => {
					const bad = Buffer.from(good);
					bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
					expect(judge(bad, line).is).not.toBe("vouched");
				}),
				{ numRuns: 300 },
			);
		}
	});

	it("is read to its end, or not at all, whatever the bytes are", () => {
		const good = sign(file("host"), "ca-ed25519", ...hostWords);
		for (let length = 0; length < good.length; length += 1)
			expect(parseCertificate(good.subarray(0, length))).toBeNull();
		expect(parseCertificate(Buffer.concat([good, Buffer.alloc(1)]))).toBeNull();
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
				expect(parseCertificate(Buffer.from(bytes))).toBeNull();
			}),
		);
	});
});

describe("a real sshd with a certificate", () => {
	it.each(["ed25519", "ecdsa"] as const)(
		"is known by its authority alone, and refused when the certificate is another host's: %s",
		async (type) => {
			const sshd = await desk.sshd({ hostKeys: [type] });
			const use = async (...words: readonly string[]) => {
				sign(sshd.hostKey(type), "ca-rsa", ...words);
				await sshd.stop();
				await sshd.listen(`HostCertificate ${sshd.hostKey(type)}-cert.pub`);
			};
			rmSync(desk.knownHosts, { force: true });
			desk.know(authorityLine("ca-rsa", "[127.0.0.1]:*"));
			const echo = async (hostKeys: "strict" | "accept-new" = "strict") => {
				const hosts = desk.hosts({ h1: sshd.port }, { hostKeys });
				const host = await hosts.host("h1", null);
				return (await host.run(["echo", "in"], { timeoutMs: 60_000 })).stdout;
			};
			await use("-h", "-n", "127.0.0.1");
			expect(await echo()).toBe("in\n");
			await use("-h", "-n", "elsewhere");
			await expect(echo()).rejects.toThrow("it is for elsewhere");
			await expect(echo("accept-new")).rejects.toThrow("it is for elsewhere");
			// Its own key, where that is known, still counts.
			desk.know(sshd.known(type));
			expect(await echo()).toBe("in\n");
			desk.know(sshd.known(type, "@revoked *"));
			await expect(echo()).rejects.toThrow("revokes");
			await sshd.stop();
		},
	);

	it("without one is no newcomer where an authority vouches for its name", async () => {
		const sshd = await desk.sshd();
		rmSync(desk.knownHosts, { force: true });
		desk.know(authorityLine("ca-ed25519", "[127.0.0.1]:*"));
		const hosts = desk.hosts({ h1: sshd.port }, { hostKeys: "accept-new" });
		const host = await hosts.host("h1", null);
		await expect(host.run(["true"], { timeoutMs: 60_000 })).rejects.toThrow(
			"is not known",
		);
	});
});
