import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { describe, expect, it } from "vitest";
import {
	certificatesIn,
	factsOf,
	isSignedBy,
	ownsKey,
} from "../../src/certificates/examine.js";
import { createAuthority, issueLeaf } from "../../src/certificates/issue.js";
import { certificateName } from "../../src/wire/certificate-names.js";

const notBefore = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2046-01-01T00:00:00Z");
const speaksFor = { kind: "node", clusterId: "c-1", node: "n1" } as const;

async function pair() {
	const authority = await createAuthority({
		...{ clusterName: "shop", notBefore, notAfter },
	});
	const leaf = await issueLeaf(authority, {
		...{ commonName: "n1", names: ["localhost", "127.0.0.1", "::1"] },
		speaksFor,
		...{ isServer: true, notBefore, notAfter },
	});
	return { authority, leaf };
}

describe("a certificate that is issued", () => {
	it("says who it is for, where it is and how long it holds", async () => {
		const { authority, leaf } = await pair();
		const [certificate] = certificatesIn(leaf) as [X509Certificate];
		const facts = factsOf(certificate);
		expect(facts.alternativeNames).toBe(
			"DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:raftd://c-1/node/n1",
		);
		expect(facts.subject).toBe("CN=n1, O=raftctl");
		expect(facts.notBeforeMs).toBe(notBefore.getTime());
		expect(facts.notAfterMs).toBe(notAfter.getTime());
		expect(facts.fingerprint).toMatch(/^[0-9a-f]{64}$/);
		expect(certificateName(facts.alternativeNames)).toEqual({
			...{ kind: "node", clusterId: "c-1", node: "n1" },
		});
		expect(ownsKey(certificate, leaf)).toBe(true);
		expect(
			isSignedBy(certificate, new X509Certificate(authority.certificate)),
		).toBe(true);
	});

	it("is not that of another authority, nor of another key", async () => {
		const [one, other] = [await pair(), await pair()];
		const [certificate] = certificatesIn(one.leaf) as [X509Certificate];
		const stranger = new X509Certificate(other.authority.certificate);
		expect(isSignedBy(certificate, stranger)).toBe(false);
		expect(ownsKey(certificate, other.leaf)).toBe(false);
		expect(stranger.subject).not.toBe(
			new X509Certificate(one.authority.certificate).subject,
		);
	});

	it("serves a real connection on which both sides are verified", async () => {
		const { authority, leaf } = await pair();
		const ca = authority.certificate;
		const shown = { ca, cert: leaf, key: leaf };
		const server = createServer(
			{ ...shown, requestCert: true, rejectUnauthorized: true },
			(socket) => socket.end(String(socket.authorized)),
		);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as AddressInfo;
		const client = connect({ ...shown, host: "127.0.0.1", port });
		const [said] = await once(client, "data");
		expect(String(said)).toBe("true");
		client.destroy();
		server.close();
	});
});
