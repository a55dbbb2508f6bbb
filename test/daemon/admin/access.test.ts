import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Access } from "../../../src/daemon/admin/access/access.js";
import { FailureLimit } from "../../../src/daemon/admin/access/failure-limit.js";
import { needOf } from "../../../src/daemon/admin/access/needs.js";
import { Tokens } from "../../../src/daemon/admin/access/tokens.js";
import { Credentials } from "../../../src/daemon/tls/credentials.js";
import { AdminService } from "../../../src/wire/gen/raftctl/admin/v1/admin_pb.js";
import {
	longAgo,
	TestAuthority,
	writeTlsFiles,
	yesterday,
} from "../../fakes/test-certificates.js";
import { type AdminNode, startAdminNode } from "./admin-node.js";

const authority = TestAuthority.create("c1");
const digest = (token: string) =>
	createHash("sha256").update(token).digest("hex");

let directory = "";
let node: AdminNode;
let access: Access;
let credentials: Credentials;
let nowMs = 0;

beforeEach(async () => {
	nowMs = 1_000;
	directory = mkdtempSync(join(tmpdir(), "raftd-access-"));
	const { certificate } = await authority;
	const leaf = await (await authority).node("n1");
	credentials = new Credentials({
		files: writeTlsFiles(directory, { ca: certificate, leaf }),
		self: { clusterId: "c1", nodeId: "n1" },
		onReload: () => {},
		onFault: () => {},
	});
	const path = join(directory, "tokens");
	writeFileSync(
		path,
		`# who may call\nobserver sha256:${digest("look")} grafana\n\nadmin sha256:${digest("rule")}\n`,
	);
	const tokens = new Tokens({ path, onFault: () => {} });
	tokens.close();
	access = new Access({
		...{ clusterId: "c1", tls: true, tokens, nowMs: () => nowMs },
		onRefused: () => {},
	});
	node = await startAdminNode("leader", undefined, {
		...{ credentials, access },
		reload: () => credentials.reload(),
	});
});

afterEach(async () => {
	await node.server.close();
	credentials.close();
	rmSync(directory, { recursive: true, force: true });
});

interface Told {
	readonly status: number;
	readonly headers: Record<string, unknown>;
	readonly text: string;
}

/** One request over a connection of its own. */
async function call(
	path: string,
	{ body, ...shown }: RequestOptions & { readonly body?: object } = {},
): Promise<Told> {
	const [host, port] = node.address.split(":");
	const { certificate } = await authority;
	return await new Promise((resolve, reject) => {
		const sent = request({
			...{ host, port, path, ca: certificate, agent: new Agent() },
			method: body === undefined ? "GET" : "POST",
			...shown,
			headers: { "content-type": "application/json", ...shown.headers },
		});
		sent.on("error", reject);
		sent.on("response", (response) => {
			let text = "";
			response.on("data", (chunk) => {
				text += chunk;
			});
			response.on("end", () => {
				const { statusCode = 0, headers } = response;
				resolve({ status: statusCode, headers, text });
			});
		});
		sent.end(body === undefined ? undefined : JSON.stringify(body));
	});
}

const method = (name: string) => `/${AdminService.typeName}/${name}`;
const showing = (leaf: string) => ({ cert: leaf, key: leaf });
const bearing = (token: string) => ({
	headers: { authorization: `Bearer ${token}` },
});

describe("who may call the admin port over TLS", () => {
	it("lets probes pass without a certificate, and nothing else", async () => {
		for (const path of ["/livez", "/readyz"])
			expect((await call(path)).status).not.toBe(401);
		for (const path of ["/metrics", "/snapshots", "/nowhere"])
			expect((await call(path)).status).toBe(401);
		const refused = await call(method("GetStatus"), { body: {} });
		expect(refused.status).toBe(401);
		expect(JSON.parse(refused.text)).toEqual({
			code: "unauthenticated",
			message: "this call needs a client certificate or a token",
		});
		expect(access.refused["no-credentials"]).toBe(4);
	});

	it("lets each role do what it may", async () => {
		const own = await authority;
		const shown = {
			observer: showing(await own.role("observer")),
			operator: showing(await own.role("operator")),
			admin: showing(await own.role("admin")),
		};
		const status = async (role: keyof typeof shown, name: string) =>
			(await call(method(name), { ...shown[role], body: {} })).status;
		expect(await status("observer", "GetStatus")).toBe(200);
		expect(await status("observer", "TakeSnapshot")).toBe(403);
		expect(await status("operator", "GetStatus")).toBe(200);
		expect(await status("operator", "Undrain")).not.toBe(403);
		expect(await status("operator", "SetWriteLevel")).toBe(403);
		expect(await status("admin", "SetWriteLevel")).not.toBe(403);
		const refused = await call(method("Drain"), {
			...{ ...shown.observer, body: {} },
		});
		expect(JSON.parse(refused.text)).toEqual({
			code: "permission_denied",
			message: "this call needs the role operator, and the caller has observer",
		});
	});

	it("takes neither a node's certificate, nor that of another cluster, authority or time", async () => {
		const own = await authority;
		const elsewhere = Object.create(own, { clusterId: { value: "c2" } });
		const stranger = await TestAuthority.create("c1");
		const cases = [
			[await own.node("n1"), "that of node n1 of cluster c1"],
			[
				await elsewhere.role("admin"),
				"that of an operator (admin) of cluster c2",
			],
			[await stranger.role("admin"), "an authority that is not trusted here"],
			[
				await own.role("admin", { notBefore: longAgo, notAfter: yesterday }),
				"it expired on",
			],
		] as const;
		for (const [leaf, words] of cases) {
			const { status, text } = await call("/metrics", showing(leaf));
			expect(status).toBe(401);
			expect(JSON.parse(text).message).toContain(words);
		}
		expect(access.refused.certificate).toBe(4);
	});

	it("takes tokens instead of a certificate, with their roles", async () => {
		expect((await call("/metrics", bearing("look"))).status).toBe(200);
		expect((await call("/snapshots", bearing("look"))).status).toBe(403);
		expect((await call("/snapshots", bearing("rule"))).status).toBe(200);
	});

	it("answers a wrong token with 401, counts it, and soon with 429 whatever the token", async () => {
		for (let turn = 0; turn < 10; turn++) {
			const { status, headers } = await call("/metrics", bearing("guess"));
			expect(status).toBe(401);
			expect(headers["www-authenticate"]).toBe("Bearer");
		}
		const refused = await call("/metrics", bearing("rule"));
		expect(refused.status).toBe(429);
		expect(refused.headers["retry-after"]).toBe("1");
		expect(access.refused).toMatchObject({ token: 10, rate: 1 });
		// Certificates are not concerned.
		const admin = showing(await (await authority).role("admin"));
		expect((await call("/metrics", admin)).status).toBe(200);
		nowMs += 1_000;
		expect((await call("/metrics", bearing("rule"))).status).toBe(200);
		const { text } = await call("/metrics", admin);
		expect(text).toContain('raftd_admin_refused_total{reason="token"} 10\n');
		expect(text).toContain(
			'raftd_certificate_expiry_seconds{certificate="node"} ',
		);
	});

	it("tells which certificates are in use, and takes up others when it is asked to", async () => {
		const admin = showing(await (await authority).role("admin"));
		const ask = async () =>
			JSON.parse(
				(await call(method("ReloadCertificates"), { ...admin, body: {} })).text,
			);
		const before = await ask();
		const leaf = await (await authority).node("n1");
		const { certificate } = await authority;
		writeTlsFiles(directory, { ca: certificate, leaf });
		const { certificates } = await ask();
		expect(certificates.leaf).not.toEqual(before.certificates.leaf);
		expect(certificates.authorities).toEqual(before.certificates.authorities);
		writeFileSync(join(directory, "node.pem"), "nothing");
		expect((await ask()).message).toContain("it holds no certificate");
		const status = await call(method("GetStatus"), { ...admin, body: {} });
		expect(JSON.parse(status.text).certificates).toMatchObject({
			leaf: certificates.leaf,
			fault: expect.stringContaining("it holds no certificate"),
		});
	});

	it("speaks gRPC over TLS, and refuses in gRPC's own way", async () => {
		const loaded = grpc.loadPackageDefinition(
			loadSync("raftctl/admin/v1/admin.proto", {
				includeDirs: [join(import.meta.dirname, "../../../proto")],
				keepCase: true,
			}),
			// biome-ignore lint/suspicious/noExplicitAny: what proto-loader builds at run time has no static shape
		) as any;
		const ca = Buffer.from((await authority).certificate);
		const getStatus = (shown: grpc.ChannelCredentials) => {
			const client = new loaded.raftctl.admin.v1.AdminService(
				node.address,
				shown,
				// An address is no name that TLS may ask for.
				{ "grpc.ssl_target_name_override": "localhost" },
			);
			return new Promise<{ code?: number; node_id?: string }>((resolve) =>
				client.GetStatus({}, (error: grpc.ServiceError, answer: object) => {
					client.close();
					resolve(error ?? answer);
				}),
			);
		};
		const leaf = Buffer.from(await (await authority).role("observer"));
		expect(
			await getStatus(grpc.credentials.createSsl(ca, leaf, leaf)),
		).toMatchObject({ node_id: "n1" });
		expect(await getStatus(grpc.credentials.createSsl(ca))).toMatchObject({
			code: grpc.status.UNAUTHENTICATED,
			details: "this call needs a client certificate or a token",
		});
	});
});

describe("the role that a call needs", () => {
	it("is known for every method, and the highest for whatever is not known", () => {
		for (const { name } of AdminService.methods)
			expect(needOf(method(name))).not.toBeNull();
		expect(needOf(method("Invented"))).toBe("admin");
		expect(needOf("/nowhere")).toBe("admin");
		expect(needOf("/__proto__")).toBe("admin");
		expect(needOf(method("GetStatus"))).toBe("observer");
		expect(needOf("/readyz/leader-known")).toBeNull();
	});
});

describe("a file of tokens", () => {
	it.each([
		["a role that there is not", `root sha256:${digest("x")}`],
		["a token in plain text", "admin secret"],
		["a short digest", "admin sha256:abcd"],
	])("is refused with its line for %s", (_what, line) => {
		const path = join(directory, "tokens");
		writeFileSync(path, `# first\n${line}\n`);
		expect(() => new Tokens({ path, onFault: () => {} })).toThrow(
			`${path}:2 cannot be used`,
		);
	});

	it("that breaks later leaves those that were known in force", () => {
		const path = join(directory, "tokens");
		const faults: string[] = [];
		const tokens = new Tokens({ path, onFault: (said) => faults.push(said) });
		tokens.close();
		writeFileSync(path, "broken\n");
		tokens.reload();
		expect(faults).toHaveLength(1);
		expect(tokens.roleOf("look")).toBe("observer");
		expect(tokens.roleOf("guess")).toBeNull();
	});
});

describe("the limit of failures", () => {
	it("forgets the oldest address when there are too many, and holds up no other", () => {
		const limit = new FailureLimit();
		for (let turn = 0; turn < 10; turn++) limit.failed("a", 0);
		expect(limit.waitMs("a", 0)).toBe(1_000);
		expect(limit.waitMs("b", 0)).toBe(0);
		expect(limit.waitMs("a", 1_000)).toBe(0);
		for (let other = 0; other < 1_024; other++) limit.failed(`${other}`, 0);
		expect(limit.waitMs("a", 0)).toBe(0);
	});
});
