import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectKeyValue } from "../../src/client/index.js";
import { startClientApi } from "../../src/daemon/api/client-api.js";
import { Credentials } from "../../src/daemon/tls/credentials.js";
import { kv } from "../../src/machines/kv/machine.js";
import type { Machine } from "../../src/machines/machine.js";
import { FakeReplica } from "../fakes/fake-replica.js";
import { TestAuthority, writeTlsFiles } from "../fakes/test-certificates.js";

const authority = TestAuthority.create("c-1");
let directory = "";
let ends: (() => unknown)[] = [];

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftd-client-tls-"));
	ends = [];
});

afterEach(async () => {
	for (const end of ends.reverse()) await end();
	rmSync(directory, { recursive: true, force: true });
});

/** A real client port over TLS; `asks` for certificates of applications. */
async function serve({ asks = false } = {}) {
	const { certificate } = await authority;
	const leaf = await (await authority).node("n1");
	const files = writeTlsFiles(directory, { ca: certificate, leaf });
	const clientCertificates = asks ? "required" : "none";
	const credentials = new Credentials({
		files: { ...files, client: { ...files.client, clientCertificates } },
		self: { clusterId: "c-1", nodeId: "n1" },
		onReload: () => {},
		onFault: () => {},
	});
	const replica = new FakeReplica(kv as Machine, {});
	const api = await startClientApi({
		...{ replica, machine: kv as Machine, listen: "127.0.0.1:0", nodeId: "n1" },
		...{ credentials, limits: { closeTimeoutMs: 200 } },
	});
	ends.push(async () => {
		credentials.close();
		await replica.close();
		await api.close();
	});
	return { address: `127.0.0.1:${api.port}`, api, credentials };
}

function client(options: Parameters<typeof connectKeyValue>[0]) {
	const made = connectKeyValue({ timeoutMs: 10_000, ...options });
	ends.push(() => made.close());
	return made;
}

describe("the client library over TLS", () => {
	it("writes, reads and follows events over streams and WebSockets", async () => {
		const { address } = await serve();
		const { certificate: ca } = await authority;
		const kvClient = client({ endpoints: [address], tls: { ca } });
		const events: unknown[] = [];
		const subscription = kvClient.raft.subscribe({
			onEvent: (_index, event) => events.push(event),
			onEnd: () => {},
		});
		await subscription.ready;
		await kvClient.put("colour", "blue");
		expect((await kvClient.get("colour"))?.value.toString()).toBe("blue");
		expect(kvClient.raft.transport).toBe("stream");
		while (events.length === 0)
			await new Promise((wake) => setTimeout(wake, 10));
		expect(subscription.node).toBe("n1");
		subscription.close();
	});

	it("accepts no certificate of a foreign authority, nor one for another name", async () => {
		const { address } = await serve();
		const { certificate: ca } = await authority;
		const foreign = (await TestAuthority.create("c-1")).certificate;
		for (const tls of [{ ca: foreign }, { ca, servername: "other.example" }]) {
			const strict = client({ endpoints: [address], tls, timeoutMs: 1_000 });
			await expect(strict.put("a", "1")).rejects.toMatchObject({
				name: "NotDoneError",
			});
		}
	});

	it("is refused without a certificate where the cluster asks for one, and let in with it", async () => {
		const { address } = await serve({ asks: true });
		const { certificate: ca } = await authority;
		const bare = client({
			...{ endpoints: [address], tls: { ca }, timeoutMs: 1_000 },
		});
		await expect(bare.put("a", "1")).rejects.toThrow();
		const leaf = await (await authority).role("observer");
		const known = client({
			...{ endpoints: [address], tls: { ca, cert: leaf, key: leaf } },
		});
		await known.put("a", "1");
	});

	it("asks for whom to believe at every connection, so that an authority may be replaced", async () => {
		const { address, credentials, api } = await serve();
		let ca = (await authority).certificate;
		const kvClient = client({ endpoints: [address], tls: () => ({ ca }) });
		await kvClient.put("a", "1");
		const next = await TestAuthority.create("c-1");
		writeTlsFiles(directory, {
			...{ ca: next.certificate, leaf: await next.node("n1") },
		});
		credentials.reload();
		ca = next.certificate;
		// A connection that stands is left alone; a drain moves it.
		await kvClient.put("a", "2");
		api.beginClosing(0);
		api.stopClosing();
		await kvClient.put("a", "3");
		const late = client({ endpoints: [address], tls: { ca } });
		expect((await late.get("a"))?.value.toString()).toBe("3");
	});

	it("outlives a moment in which it is not told whom to believe, or told nonsense", async () => {
		const { address } = await serve();
		const { certificate } = await authority;
		const sources = [
			() => {
				throw new Error("ENOENT: ca.crt");
			},
			() => ({ ca: "-----BEGIN CERTIFICATE-----" }),
		];
		let asked = 0;
		const kvClient = client({
			endpoints: [address],
			tls: () => sources[asked++]?.() ?? { ca: certificate },
		});
		const ends: unknown[] = [];
		const subscription = kvClient.raft.subscribe({
			onEvent: () => {},
			onEnd: (error) => ends.push(error),
		});
		await subscription.ready;
		expect(asked).toBe(3);
		asked = 0;
		await kvClient.put("a", "1");
		expect(asked).toBe(3);
		expect(ends).toEqual([]);
	});

	it("speaks no plain text to a port that speaks TLS", async () => {
		const { address, api } = await serve();
		const plain = client({ endpoints: [address], timeoutMs: 500 });
		await expect(plain.put("a", "1")).rejects.toMatchObject({
			name: "NotDoneError",
		});
		expect(api.counters().protocolErrors).toBeGreaterThan(0);
	});
});
