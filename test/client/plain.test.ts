import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import {
	connectKeyValue,
	connectRaft,
	NotDoneError,
} from "../../src/client/index.js";
import { plainForMs } from "../../src/client/plain-endpoints.js";
import { encodeCommand, encodeQuery } from "../../src/machines/kv/codec.js";
import { HttpProxy, type UpgradeFate } from "../fakes/http-proxy.js";
import { kept, serving, whenDone } from "./cluster.js";

const put = (key: string, value = "") =>
	encodeCommand({ op: "put", key, value });
const get = (key: string) => encodeQuery({ op: "get", key });

async function behind(fate: UpgradeFate) {
	const cluster = await serving(1);
	const proxy = await new HttpProxy(
		cluster.endpoints[0] as string,
		fate,
	).start();
	whenDone(() => proxy.stop());
	return { ...cluster, proxy, endpoints: [proxy.address] };
}

/** As a node of the first release answers: its upgrade names no features. */
async function withoutFeatures(target: string): Promise<string> {
	const [host, port] = target.split(":");
	const relay = createServer((client) => {
		const node = connect({ host: host as string, port: Number(port) });
		client.pipe(node);
		node.once("data", (head: Buffer) => {
			const text = head.toString("latin1");
			client.write(text.replace("raftd-stream-features", "x"), "latin1");
			node.pipe(client);
		});
		for (const socket of [client, node]) socket.on("error", () => {});
		client.on("close", () => node.destroy());
	});
	await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
	whenDone(() => new Promise((resolve) => relay.close(resolve)));
	return `127.0.0.1:${(relay.address() as AddressInfo).port}`;
}

describe("a client behind a proxy that lets no stream pass", () => {
	it.each(["dropped", 200, 400, 403, 426, 501, 505] as const)(
		"falls back to plain requests when its upgrade meets %s, and says so",
		async (fate) => {
			const { endpoints, proxy } = await behind(fate);
			const fallbacks: [string, string][] = [];
			const kv = kept(
				connectKeyValue({
					endpoints,
					onFallback: (...about) => fallbacks.push(about),
				}),
			);
			const { version } = await kv.put("a", "1");
			expect(await kv.get("a")).toEqual({
				...{ value: Buffer.from("1"), version, ageMs: 0 },
			});
			await expect(
				kv.cas({ key: "a", expect: null, value: "2" }),
			).resolves.toEqual({ swapped: false, version });
			expect(kv.raft.transport).toBe("http");
			expect(fallbacks).toEqual([
				[endpoints[0], expect.stringContaining("raftd-stream/1")],
			]);
			// Remembered: one upgrade was tried, and no more.
			expect(proxy.upgrades).toBe(1);
		},
	);

	it("uses connections again, or a new one each time where the proxy is old", async () => {
		const { endpoints, proxy } = await behind(426);
		const client = kept(connectRaft({ endpoints }));
		for (let i = 0; i < 10; i++) await client.command(put(`k${i}`));
		expect(proxy.connections).toBe(1);
		proxy.isOld = true;
		for (let i = 0; i < 5; i++) await client.command(put(`k${i}`));
		expect(client.transport).toBe("http");
	});

	it("carries many requests at once, each with its own answer", async () => {
		const { endpoints } = await behind(501);
		const client = kept(connectRaft({ endpoints, timeoutMs: 60_000 }));
		const answers = await Promise.all(
			Array.from({ length: 500 }, (_, i) => client.command(put(`k${i}`))),
		);
		expect(new Set(answers.map(({ index }) => index)).size).toBe(500);
		const found = await Promise.all(
			Array.from({ length: 100 }, (_, i) => client.query(get(`k${i}`))),
		);
		expect(found.every(({ result }) => result[1] === 1)).toBe(true);
	});

	it("hands on acknowledgement, level, consistency and index, and tells the age", async () => {
		const { endpoints, replica } = await behind(400);
		replica.staleAgeMs = 12.5;
		const client = kept(connectRaft({ endpoints }));
		expect(await client.command(put("a"), { ack: "none" })).toMatchObject({
			index: 0,
		});
		const { index } = await client.command(put("b"), {
			...{ ack: "commit", level: 1 },
		});
		expect(client.lastIndex).toBe(index);
		const stale = { consistency: "stale", minIndex: "own" } as const;
		expect(await client.query(get("a"), stale)).toMatchObject({ ageMs: 13 });
		await client.query(get("a"), { consistency: "lease" });
		expect(replica.proposals).toMatchObject([
			{ ack: "none" },
			{ ack: "commit", level: 1 },
		]);
		expect(replica.queries).toMatchObject([
			{ consistency: "stale", minIndex: index },
			{ consistency: "lease", minIndex: 0 },
		]);
	});

	it("keeps rejected and unknown apart", async () => {
		const { endpoints, replica, proxy } = await behind(426);
		const client = kept(connectRaft({ endpoints }));
		await client.command(put("warm"));
		replica.nextOutcomes.push(
			{
				...{ kind: "rejected", reason: "invalid" },
				...{ message: "never", retryAfterMs: 0 },
			},
			{ kind: "unknown", message: "cut off" },
		);
		await expect(client.command(put("a"))).rejects.toMatchObject({
			...{ name: "NotDoneError", reason: "invalid", message: "never" },
		});
		await expect(client.command(put("a"))).rejects.toMatchObject({
			...{ name: "OutcomeUnknownError", message: "cut off" },
		});
		// What the proxy itself says leaves open what happened behind it.
		proxy.nextStatuses.push(502);
		await expect(client.command(put("a"))).rejects.toMatchObject({
			name: "OutcomeUnknownError",
			message: expect.stringContaining("HTTP 502"),
		});
		proxy.nextStatuses.push(413);
		await expect(client.command(put("a"))).rejects.toMatchObject({
			...{ name: "NotDoneError", reason: "too-large" },
		});
		proxy.nextStatuses.push(504, 502);
		expect(await client.query(get("a"))).toMatchObject({ ageMs: 0 });
	});

	it("executes commands exactly once there, too", async () => {
		const { endpoints, replica, proxy } = await behind(426);
		const client = kept(
			connectRaft({ endpoints, exactlyOnce: true, timeoutMs: 60_000 }),
		);
		await client.command(put("warm"));
		const { applied } = replica.status();
		proxy.nextStatuses.push(502, 504, 500);
		replica.answersToLose = 3;
		const answers = await Promise.all(
			Array.from({ length: 40 }, (_, i) => client.command(put(`k${i}`))),
		);
		expect(new Set(answers.map(({ index }) => index)).size).toBe(40);
		expect(replica.status().applied).toBe(applied + 40);
	});

	it("tries a stream again after a while", async () => {
		vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
		try {
			const { endpoints, proxy, apis } = await behind(426);
			const client = kept(connectRaft({ endpoints, timeoutMs: 600_000 }));
			await client.command(put("a"));
			await vi.advanceTimersByTimeAsync(plainForMs / 2);
			await client.command(put("b"));
			expect([proxy.upgrades, client.transport]).toEqual([1, "http"]);
			await vi.advanceTimersByTimeAsync(plainForMs / 2 + 1);
			await client.command(put("c"));
			expect(proxy.upgrades).toBe(2);
			expect(apis[0]?.connections().streams).toBe(0);
		} finally {
			vi.useRealTimers();
		}
	});

	it("is not done, for certain, where nothing can be connected to any more", async () => {
		const { endpoints, proxy } = await behind(426);
		const client = kept(connectRaft({ endpoints, timeoutMs: 500 }));
		await client.command(put("a"));
		await proxy.stop();
		const outcomes = await Promise.allSettled([
			client.command(put("b")),
			new Promise((resolve) => setTimeout(resolve, 100)).then(() =>
				client.command(put("c")),
			),
		]);
		// The first may have met the end of a connection that was in use.
		expect(outcomes[1]).toMatchObject({
			status: "rejected",
			reason: expect.any(NotDoneError),
		});
	});

	it("ends with its last answer", async () => {
		const { endpoints, replica, proxy } = await behind(426);
		const client = connectRaft({ endpoints });
		await client.command(put("a"));
		replica.hold();
		const last = client.command(put("b"));
		await vi.waitFor(() => expect(replica.proposals).toHaveLength(2));
		const closed = client.close();
		replica.release();
		await last;
		await closed;
		await vi.waitFor(() => expect(proxy.connections).toBe(0));
	});
});

describe("a client of nodes of an earlier release", () => {
	it("asks a quorum where they know no lease, and opens no session where they know none", async () => {
		const { endpoints: nodes, replica, apis } = await serving(1);
		const endpoints = [await withoutFeatures(nodes[0] as string)];
		const client = kept(connectRaft({ endpoints }));
		replica.staleAgeMs = 5;
		await client.query(get("a"), { consistency: "lease" });
		expect(replica.queries[0]).toMatchObject({ consistency: "linearizable" });
		const stale = { consistency: "stale" } as const;
		expect(await client.query(get("a"), stale)).toMatchObject({ ageMs: null });
		await expect(client.command(put("a"), { level: 2 })).rejects.toMatchObject({
			...{ name: "NotDoneError", reason: "unsupported" },
		});
		const careful = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await expect(careful.command(put("a"))).rejects.toMatchObject({
			...{ name: "NotDoneError", reason: "unsupported" },
			message: expect.stringContaining("no sessions"),
		});
		expect(apis[0]?.counters().protocolErrors).toBe(0);
	});
});
