import {
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthority } from "../../../src/certificates/issue.js";
import {
	fingerprintsIn,
	forgetNext,
	putAuthorityKey,
	putBundle,
	putLeaves,
	readCertificates,
	writeCertificates,
	writeNextAuthority,
} from "../../../src/certificates/store.js";
import type { CertificatesStatus } from "../../../src/cluster/engine.js";
import { parseInventory } from "../../../src/config/load.js";
import { certificateProblems } from "../../../src/operations/certs/expiry.js";
import { initCertificates } from "../../../src/operations/certs/init.js";
import {
	believes,
	phaseOf,
	shows,
} from "../../../src/operations/certs/rotation.js";
import { renderNodeConfig } from "../../../src/operations/node-config.js";
import {
	nextYear,
	TestAuthority,
	yesterday,
} from "../../fakes/test-certificates.js";

let ground = "";

beforeEach(() => {
	ground = mkdtempSync(join(tmpdir(), "raftctl-certs-"));
});

afterEach(() => rmSync(ground, { recursive: true, force: true }));

const stored = async (directory: string) => {
	const found = await readCertificates(directory);
	if (found === null) throw new Error("no certificates");
	return found;
};

function inventory(more = "") {
	const text = `name: demo\nid: c-1\ntls: {${more}}\nnodes: [n1, n2, n3]\nbalancer: embedded\n`;
	return parseInventory(text, { source: "cluster.yaml", directory: ground });
}

describe("the phase of a rotation", () => {
	it("follows from the files alone, after each of its steps", async () => {
		const directory = join(ground, "certs");
		const dates = { notBefore: yesterday, notAfter: nextYear };
		const wish = { clusterName: "demo", ...dates };
		const [old, next] = [
			await createAuthority(wish),
			await createAuthority(wish),
		];
		const authority = await TestAuthority.create("c-1");
		const leaf = await authority.node("n1");
		const leaves = {
			nodes: new Map([["n1", leaf]]),
			roles: new Map([["admin", leaf] as const]),
		};
		await writeCertificates(directory, { authority: old, ...leaves });
		const phase = async () => phaseOf(await stored(directory));
		expect(await phase()).toBe("steady");
		await writeNextAuthority(directory, next);
		expect(await phase()).toBe("trust");
		await putBundle(directory, `${old.certificate}${next.certificate}`);
		expect(await phase()).toBe("use");
		await putLeaves(directory, leaves, "next");
		await putLeaves(directory, leaves);
		expect(await phase()).toBe("use");
		await putAuthorityKey(directory, next.key);
		expect(await phase()).toBe("drop");
		await putBundle(directory, next.certificate);
		expect(await phase()).toBe("drop");
		await forgetNext(directory);
		expect(await phase()).toBe("steady");
		const { authority: signs, bundle } = await stored(directory);
		expect(signs).toMatchObject({ key: next.key });
		expect(fingerprintsIn(bundle)).toEqual(fingerprintsIn(next.certificate));
	});

	it("is not told by a key that belongs to none of the authorities", async () => {
		const directory = join(ground, "certs");
		const dates = { notBefore: yesterday, notAfter: nextYear };
		const make = () => createAuthority({ clusterName: "demo", ...dates });
		const none = { nodes: new Map(), roles: new Map() };
		await writeCertificates(directory, { authority: await make(), ...none });
		await putAuthorityKey(directory, (await make()).key);
		await expect(readCertificates(directory)).rejects.toMatchObject({
			kind: "config",
			message: expect.stringContaining("is that of no authority in ca.crt"),
		});
	});
});

describe("what a node says that it uses", () => {
	const view = (fingerprint: string, expiresAtMs = 2e12) => ({
		fingerprint,
		expiresAtMs,
	});
	const uses = (...authorities: string[]): CertificatesStatus => ({
		...{ leaf: view("l"), clientLeaf: view("l"), fault: "" },
		authorities: authorities.map((one) => view(one)),
	});

	it("is believed only when all of it is there, and nothing else where that is asked", () => {
		expect(believes(uses("a", "b"), ["b"])).toBe(true);
		expect(believes(uses("a"), ["a", "b"])).toBe(false);
		expect(believes(uses("a", "b"), ["b"], { only: true })).toBe(false);
		expect(believes(uses("b"), ["b"], { only: true })).toBe(true);
	});

	it("is compared with the certificate itself, not with its name", async () => {
		const authority = await TestAuthority.create("c-1");
		const [one, other] = [
			await authority.node("n1"),
			await authority.node("n1"),
		];
		const [fingerprint = ""] = fingerprintsIn(one);
		const shown = { ...uses(), leaf: view(fingerprint) };
		expect(shows(shown, one)).toBe(true);
		expect(shows(shown, other)).toBe(false);
	});

	it("is a problem from two weeks before its end on, each with its remedy", () => {
		const nowMs = 1e12;
		const day = 86_400_000;
		const fine = uses("a");
		expect(certificateProblems("n1", fine, nowMs)).toEqual([]);
		expect(certificateProblems("n1", null, nowMs)).toEqual([]);
		const soon = {
			...fine,
			leaf: view("l", nowMs + 3 * day),
			authorities: [view("a", nowMs - day)],
			fault: "the key is another",
		};
		expect(certificateProblems("n1", soon, nowMs)).toEqual([
			"the certificate of n1 expires within 3 days, on 2001-09-12T01:46:40.000Z; raftctl certs renew issues another",
			"an authority that n1 believes expired on 2001-09-08T01:46:40.000Z; raftctl certs rotate replaces it",
			"n1 goes on with older certificates: the key is another",
		]);
	});
});

describe("certs init", () => {
	it("makes everything, readable by its owner alone, and never writes over it", async () => {
		const cluster = inventory("names: [orders.example.net]");
		const { directory, nodes } = await initCertificates(cluster, Date.now());
		expect(nodes).toEqual(["n1", "n2", "n3"]);
		expect(readdirSync(join(directory, "operators"))).toEqual([
			...["admin.pem", "observer.pem", "operator.pem"],
		]);
		expect(statSync(directory).mode & 0o777).toBe(0o700);
		for (const name of ["ca.key", "ca.crt", "nodes/n1.pem"])
			expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
		const before = readFileSync(join(directory, "ca.key"), "utf8");
		await expect(initCertificates(cluster, Date.now())).rejects.toMatchObject({
			...{ kind: "refused", state: "nothing was written" },
		});
		expect(readFileSync(join(directory, "ca.key"), "utf8")).toBe(before);
		const { nodes: leaves } = await stored(directory);
		const { X509Certificate } = await import("node:crypto");
		const names = new X509Certificate(leaves.get("n2") ?? "").subjectAltName;
		expect(names?.split(", ")).toEqual([
			...["IP Address:127.0.0.1", "DNS:orders.example.net", "DNS:localhost"],
			...["IP Address:0:0:0:0:0:0:0:1", "URI:raftd://c-1/node/n2"],
		]);
	});

	it("is refused for a cluster file without tls, with what to add", async () => {
		const text = "name: demo\nid: c-1\nnodes: [n1]\n";
		const plain = parseInventory(text, { source: "c.yaml", directory: ground });
		await expect(initCertificates(plain, 0)).rejects.toMatchObject({
			...{ kind: "config", message: "c.yaml has no tls" },
		});
	});
});

describe("node.yaml of a cluster that speaks TLS", () => {
	it("names the files that raftctl brings to the node, key and certificate in one", async () => {
		const cluster = inventory("clientCertificates: required");
		const [node] = cluster.nodes;
		if (node === undefined) throw new Error("no node");
		const { parse } = await import("yaml");
		const home = join(ground, ".raftctl/demo/n1/tls");
		expect(parse(await renderNodeConfig(cluster, node)).tls).toEqual({
			...{ ca: join(home, "ca.crt"), cert: join(home, "node.pem") },
			key: join(home, "node.pem"),
			client: { clientCertificates: "required" },
		});
	});
});
