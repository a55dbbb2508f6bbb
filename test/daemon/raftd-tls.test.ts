import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRaftdEngine } from "../../src/cluster/raftd-engine.js";
import {
	longAgo,
	TestAuthority,
	writeTlsFiles,
	yesterday,
} from "../fakes/test-certificates.js";
import { raftdGround } from "./raftd-ground.js";
import { type NodeFile, place, writeNode } from "./raftd-process.js";

const ground = raftdGround();
const authority = TestAuthority.create("c-test");
const options = { timeoutMs: 5_000 };

/** A cluster of one whose certificates are in its own directory. */
async function placed(leaf: string): Promise<NodeFile> {
	const node = await place(ground.directory, "n1");
	const { certificate } = await authority;
	const { ca, cert, key } = writeTlsFiles(files(), { ca: certificate, leaf });
	writeNode(node, [node], { tls: { ca, cert, key } });
	return node;
}

const files = () => join(ground.directory, "n1", "tls");

async function engineOf() {
	const identity = await (await authority).role("admin");
	const ca = (await authority).certificate;
	const current = () => ({ ca, identity, token: null });
	return createRaftdEngine({ clusterId: "c-test", current });
}

describe("raftd with certificates", () => {
	it("takes up others at SIGHUP, and does not end", async () => {
		const node = await placed(await (await authority).node("n1"));
		const raftd = ground.start(node);
		const engine = await engineOf();
		const leaf = async () =>
			(await engine.status(node, options).catch(() => null))?.certificates?.leaf
				.fingerprint ?? null;
		await raftd.until(async () => (await leaf()) !== null);
		const before = await leaf();
		const { certificate } = await authority;
		writeTlsFiles(files(), {
			...{ ca: certificate, leaf: await (await authority).node("n1") },
		});
		raftd.kill("SIGHUP");
		await raftd.until(async () => ![null, before].includes(await leaf()));
		expect(raftd.log().some(({ msg }) => msg === "serving")).toBe(true);
		engine.close();
	});

	it("takes up others by itself when the files change, and never half of a pair", async () => {
		const node = await placed(await (await authority).node("n1"));
		const raftd = ground.start(node);
		const engine = await engineOf();
		const used = async () =>
			(await engine.status(node, options).catch(() => null))?.certificates;
		await raftd.until(async () => (await used()) != null);
		const before = await used();
		writeFileSync(join(files(), "node.pem"), "half of it");
		await raftd.until(async () => (await used())?.fault !== "");
		expect((await used())?.leaf).toEqual(before?.leaf);
		const { certificate } = await authority;
		writeTlsFiles(files(), {
			...{ ca: certificate, leaf: await (await authority).node("n1") },
		});
		await raftd.until(async () => (await used())?.fault === "");
		expect((await used())?.leaf).not.toEqual(before?.leaf);
		engine.close();
	});

	it("does not start with the certificate of another node, and says whose it is", async () => {
		const node = await placed(await (await authority).node("n2"));
		const { code, stderr } = await ground.start(node).ended;
		expect(code).toBe(11);
		expect(stderr).toContain(
			"it is the certificate of node n2 of cluster c-test, and this is n1 of cluster c-test",
		);
		expect(stderr).toContain("Next: raftctl certs renew");
	});

	it("starts with one that has expired and is heard to say so, and is believed again once it is renewed", async () => {
		const dates = { notBefore: longAgo, notAfter: yesterday };
		const node = await placed(await (await authority).node("n1", dates));
		const raftd = ground.start(node);
		await raftd.until(() => raftd.log().some(({ msg }) => msg === "serving"));
		expect(raftd.log().map(({ msg }) => msg)).toContainEqual(
			expect.stringContaining("the certificate of this node expired on"),
		);
		const engine = await engineOf();
		await expect(engine.status(node, options)).rejects.toMatchObject({
			kind: "unreachable",
			message: "n1 does not answer: its certificate has expired",
			next: "raftctl certs status",
		});
		const { certificate } = await authority;
		writeTlsFiles(files(), {
			...{ ca: certificate, leaf: await (await authority).node("n1") },
		});
		await raftd.until(
			async () =>
				(await engine.status(node, options).catch(() => null)) !== null,
		);
		engine.close();
	});
});

describe("raftctl's calls over TLS", () => {
	it("reach the node that is meant and no other, and plain text is told from TLS", async () => {
		const node = await placed(await (await authority).node("n1"));
		const raftd = ground.start(node);
		const engine = await engineOf();
		await raftd.until(
			async () =>
				(await engine.status(node, options).catch(() => null)) !== null,
		);
		const mistaken = { id: "n2", admin: node.admin };
		await expect(engine.status(mistaken, options)).rejects.toMatchObject({
			message:
				"n2 does not answer: the certificate that is shown there is that of node n1 of cluster c-test, not that of n2 of cluster c-test",
		});
		const foreign = await TestAuthority.create("c-test");
		const strangers = createRaftdEngine({
			clusterId: "c-test",
			current: () => ({ ca: foreign.certificate, identity: null, token: null }),
		});
		await expect(strangers.status(node, options)).rejects.toMatchObject({
			message:
				"n1 does not answer: its certificate is of an authority that this raftctl does not trust",
		});
		const plain = createRaftdEngine();
		await expect(plain.status(node, options)).rejects.toMatchObject({
			kind: "unreachable",
		});
		const { certificate: ca } = await authority;
		const bare = createRaftdEngine({
			clusterId: "c-test",
			current: () => ({ ca, identity: null, token: null }),
		});
		await expect(bare.status(node, options)).rejects.toMatchObject({
			kind: "unreachable",
			message: "n1: this call needs a client certificate or a token",
		});
		for (const one of [engine, strangers, plain, bare]) one.close();
	});
});
