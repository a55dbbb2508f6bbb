import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { encryptedPublicKey } from "../../../src/hosts/ssh/private-key.js";
import { makeKey } from "./sshd.js";

const directory = mkdtempSync(join(tmpdir(), "raftctl-key-"));
afterAll(() => rmSync(directory, { recursive: true }));

function made(name: string, options: Parameters<typeof makeKey>[1]): string {
	const file = join(directory, name);
	makeKey(file, options);
	return file;
}

describe("an encrypted private key", () => {
	it.each(["ed25519", "ecdsa", "rsa"] as const)(
		"shows its public half without the passphrase: %s",
		(type) => {
			const file = made(type, { type, passphrase: "open sesame" });
			const [kind, key] = readFileSync(`${file}.pub`, "utf8").split(" ");
			const text = readFileSync(file, "latin1");
			expect(encryptedPublicKey(text)).toBe(`${kind} ${key}`);
		},
	);

	it("of the old form shows nothing, and nor does anything else", () => {
		const pem = made("pem", { type: "rsa", passphrase: "sesame", pem: true });
		expect(encryptedPublicKey(readFileSync(pem, "latin1"))).toBeNull();
		expect(encryptedPublicKey("")).toBeNull();
	});

	it("that is damaged is read to an end all the same", () => {
		const armour = "OPENSSH PRIVATE KEY-----";
		const head = Buffer.from("openssh-key-v1\0");
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
				const body = Buffer.concat([head, bytes]).toString("base64");
				const text = `-----BEGIN ${armour}\n${body}\n-----END ${armour}\n`;
				const found = encryptedPublicKey(text);
				if (found !== null) expect(found).toMatch(/ [A-Za-z0-9+/=]+$/);
			}),
		);
	});
});
