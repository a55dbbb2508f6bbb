import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	putLeaves,
	writeCertificates,
} from "../../../src/certificates/store.js";
import { up } from "../../../src/operations/up.js";
import {
	longAgo,
	TestAuthority,
	yesterday,
} from "../../fakes/test-certificates.js";
import { failureOf, operating } from "../operating.js";

let ground = "";
beforeEach(() => {
	ground = mkdtempSync(join(tmpdir(), "raftctl-deliver-"));
});
afterEach(() => rmSync(ground, { recursive: true, force: true }));

/** Three nodes with data, and an operator whose certificates are older copies. */
async function world() {
	const made = operating();
	const old = await TestAuthority.create("c1", { notBefore: longAgo });
	const next = await TestAuthority.create("c1", { notBefore: yesterday });
	const directory = join(ground, "certs");
	const nodes = new Map<string, string>();
	for (const id of ["n1", "n2", "n3"]) {
		nodes.set(id, await old.node(id));
		put(`/data/${id}/identity.json`, "{}");
	}
	function put(path: string, text: string) {
		made.machines.files.set(path, { content: Buffer.from(text), mode: 0o600 });
	}
	const { authority } = old;
	await writeCertificates(directory, { authority, nodes, roles: new Map() });
	const tls = {
		...{ directory, role: "admin" as const, tokenFile: null, names: [] },
		...{ clientCertificates: "none" as const, lifetimeMs: 31_536_000_000 },
	};
	const inventory = { ...made.context.inventory, tls };
	const context = { ...made.context, inventory };
	const textAt = (path: string) =>
		Buffer.from(made.machines.files.get(path)?.content ?? []).toString("utf8");
	return { ...made, context, old, next, directory, put, textAt };
}

describe("certificates", () => {
	it("are brought to a node that starts or has none, and to no other that runs", async () => {
		const { context, cluster, put, textAt, old } = await world();
		cluster.stop("n3");
		const older = await old.node("n1", {
			notBefore: new Date(longAgo.getTime() - 86_400_000),
		});
		put("/state/n1/tls/ca.crt", old.certificate);
		put("/state/n1/tls/node.pem", older);
		await up(context);
		expect(textAt("/state/n3/tls/ca.crt")).toBe(old.certificate);
		expect(textAt("/state/n2/tls/ca.crt")).toBe(old.certificate);
		expect(textAt("/state/n1/tls/node.pem")).toBe(older);
	});

	it("of a replaced authority are brought to nobody: the node does not start, and the file is named", async () => {
		const { context, cluster, machines, next, put, textAt, directory } =
			await world();
		const leaf = await next.node("n3");
		put("/state/n3/tls/ca.crt", next.certificate);
		put("/state/n3/tls/node.pem", leaf);
		cluster.stop("n3");
		const failure = await failureOf(up(context));
		expect(failure.message).toContain(`${directory}/ca.crt lacks an authority`);
		expect(machines.isRunning("n3")).toBe(false);
		expect(textAt("/state/n3/tls/ca.crt")).toBe(next.certificate);
		expect(textAt("/state/n3/tls/node.pem")).toBe(leaf);
	});

	it("that are newer on the host stay there when a node starts", async () => {
		const { context, cluster, old, put, textAt, directory } = await world();
		const renewed = await old.node("n3", { notBefore: yesterday });
		put("/state/n3/tls/ca.crt", old.certificate);
		put("/state/n3/tls/node.pem", renewed);
		cluster.stop("n3");
		expect(await up(context)).toMatchObject({ started: ["n3", "balancer"] });
		expect(textAt("/state/n3/tls/node.pem")).toBe(renewed);
		const newest = await old.node("n3", { notBefore: new Date() });
		await putLeaves(directory, { nodes: new Map([["n3", newest]]) });
		cluster.stop("n3");
		await up(context);
		expect(textAt("/state/n3/tls/node.pem")).toBe(newest);
	});
});
