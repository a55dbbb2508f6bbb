import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { connectKeyValue, connectRaft } from "../../src/client/index.js";
import {
	decodeResult,
	encodeCommand,
	encodeQuery,
} from "../../src/machines/kv/codec.js";
import { cutting, kept, serving } from "./cluster.js";

const put = (key: string, value = "") =>
	encodeCommand({ op: "put", key, value });
const patient = { timeout: 20_000, interval: 5 };
const expired = {
	kind: "rejected",
	reason: "session-expired",
	message: "expired",
	retryAfterMs: 0,
} as const;

describe("a client with exactlyOnce", () => {
	it("opens one session with its first command, and numbers what it sends in it", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await client.query(encodeQuery({ op: "get", key: "a" }));
		expect(replica.sessions.ids).toEqual([]);
		await Promise.all([client.command(put("a")), client.command(put("b"))]);
		await client.command(put("c"));
		const id = replica.sessions.ids[0];
		expect(replica.sessions.ids).toHaveLength(1);
		expect(replica.proposals.map(({ session }) => session)).toEqual([
			{ id, sequence: 1, acknowledged: 0 },
			{ id, sequence: 2, acknowledged: 0 },
			{ id, sequence: 3, acknowledged: 2 },
		]);
	});

	it("sends a command again whose outcome is unknown, and gets the result of its one execution", async () => {
		const { endpoints, replica } = await serving(1);
		const kv = kept(connectKeyValue({ endpoints, exactlyOnce: true }));
		const { version } = await kv.put("a", "1");
		replica.answersToLose = 3;
		const swap = await kv.cas({ key: "a", expect: version, value: "2" });
		expect(swap).toEqual({ swapped: true, version: version + 1 });
		expect(replica.proposals).toHaveLength(5);
		expect(replica.status().applied).toBe(version + 1);
	});

	it("sends what was on a lost connection again over the next", async () => {
		const { endpoints, replica } = await serving(1);
		const proxy = await cutting(endpoints[0] ?? "");
		const client = kept(
			connectRaft({ endpoints: [proxy.address], exactlyOnce: true }),
		);
		await client.command(put("warm"));
		const { applied } = replica.status();
		replica.hold();
		const all = Promise.all(
			Array.from({ length: 20 }, (_, i) => client.command(put(`k${i}`))),
		);
		await vi.waitFor(() => expect(replica.proposals).toHaveLength(21), patient);
		proxy.cutAll();
		await vi.waitFor(() => expect(replica.proposals).toHaveLength(41), patient);
		replica.release();
		const indexes = (await all).map(({ index }) => index);
		expect(new Set(indexes).size).toBe(20);
		expect(replica.status().applied).toBe(applied + 20);
	});

	it("leaves a connection that fell silent long before its commands' time is over", async () => {
		const { endpoints, replica } = await serving(1);
		const proxy = await cutting(endpoints[0] ?? "");
		const client = kept(
			connectRaft({
				...{ endpoints: [proxy.address], exactlyOnce: true },
				...{ connectTimeoutMs: 200, timeoutMs: 600_000 },
			}),
		);
		await client.command(put("a"));
		proxy.stallAll();
		await client.command(put("b"));
		expect(proxy.accepted).toBe(2);
		expect(replica.status().applied).toBe(3);
	});

	it("gives up as unknown when the time is over, and lets no late attempt be executed", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await client.command(put("warm"));
		replica.hold();
		await expect(
			client.command(put("a"), { timeoutMs: 100 }),
		).rejects.toMatchObject({ name: "OutcomeUnknownError", reason: "timeout" });
		replica.release();
		await client.command(put("b"));
		expect(replica.proposals.at(-1)?.session).toMatchObject({
			...{ sequence: 3, acknowledged: 2 },
		});
	});

	it("calls a command not done that was refused each time", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await client.command(put("warm"));
		replica.nextOutcomes.push({
			...{ kind: "rejected", reason: "invalid" },
			...{ message: "never", retryAfterMs: 0 },
		});
		await expect(client.command(put("a"))).rejects.toMatchObject({
			name: "NotDoneError",
			reason: "invalid",
		});
		replica.nextOutcomes.push(
			{ kind: "unknown", message: "cut off" },
			{
				...{ kind: "rejected", reason: "invalid" },
				...{ message: "not any more", retryAfterMs: 0 },
			},
		);
		await expect(client.command(put("a"))).rejects.toMatchObject({
			name: "OutcomeUnknownError",
			reason: "invalid",
			message: expect.stringContaining("not any more"),
		});
	});

	it("goes on in another session after one has expired", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await client.command(put("a"));
		const [first] = replica.sessions.ids as [number];
		replica.sessions.expire(first);
		const answers = await Promise.all(
			Array.from({ length: 10 }, (_, i) => client.command(put(`b${i}`))),
		);
		expect(new Set(answers.map(({ index }) => index)).size).toBe(10);
		const [second] = replica.sessions.ids as [number];
		expect(second).not.toBe(first);
		expect(replica.proposals.at(-1)?.session?.id).toBe(second);
	});

	it("never repeats in another session what may have been executed in an expired one", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await client.command(put("a"));
		replica.nextOutcomes.push({ kind: "unknown", message: "cut" }, expired);
		await expect(client.command(put("b"))).rejects.toMatchObject({
			name: "OutcomeUnknownError",
			reason: "session-expired",
		});
		expect(replica.proposals).toHaveLength(3);
		await client.command(put("c"));
		expect(replica.sessions.ids).toHaveLength(2);
	});

	it("has no more in flight than the session keeps results of", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(
			connectRaft({ endpoints, exactlyOnce: true, timeoutMs: 60_000 }),
		);
		await Promise.all(
			Array.from({ length: 4000 }, (_, i) => client.command(put(`k${i}`))),
		);
		expect(replica.sessions.mostKept).toBeLessThanOrEqual(1024);
		expect(replica.status().applied).toBe(4001);
		const tooFar = replica.proposals.filter(
			({ session }) =>
				session !== undefined && session.sequence - session.acknowledged > 1024,
		);
		expect(tooFar).toEqual([]);
	});

	it("keeps an idle session alive, and executes nothing for that", async () => {
		const { endpoints, replica } = await serving(1);
		replica.sessionTtlMs = 60;
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		const bytes = put("a");
		await client.command(bytes);
		// It is the application's again.
		bytes.fill(0xff);
		const { applied } = replica.status();
		await vi.waitFor(
			() => expect(replica.proposals.length).toBeGreaterThan(4),
			patient,
		);
		expect(replica.status().applied).toBe(applied);
		const repeated = replica.proposals.slice(1).map(({ session }) => session);
		expect(new Set(repeated.map((one) => one?.sequence))).toEqual(new Set([1]));
		await client.command(put("b"));
		expect(replica.proposals.at(-1)?.session?.id).toBe(
			replica.proposals[0]?.session?.id,
		);
	});

	it("executes nothing anew when the session expires in the middle of being kept alive", async () => {
		const { endpoints, replica } = await serving(1);
		replica.sessionTtlMs = 60;
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await client.command(put("a"));
		const { applied } = replica.status();
		replica.sessions.expire(replica.sessions.ids[0] as number);
		await vi.waitFor(
			() => expect(replica.proposals.length).toBeGreaterThan(1),
			patient,
		);
		await client.query(encodeQuery({ op: "get", key: "a" }));
		expect(replica.status().applied).toBe(applied);
		expect(replica.sessions.ids).toEqual([]);
		await client.command(put("b"));
		expect(replica.sessions.ids).toHaveLength(1);
	});

	it("takes no part with ack none, which waits for no execution", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
		await client.command(put("a"), { ack: "none" });
		expect(replica.proposals[0]?.session).toBeUndefined();
	});

	it("says why no session could be opened, and that nothing was done", async () => {
		const { endpoints, replica } = await serving(1);
		replica.leader = null;
		const client = kept(
			connectRaft({ endpoints, exactlyOnce: true, timeoutMs: 100 }),
		);
		await expect(client.command(put("a"))).rejects.toMatchObject({
			name: "NotDoneError",
		});
		replica.leader = "n1";
		await client.command(put("a"));
	});

	it("executes each command exactly once, wherever connections break and answers get lost", async () => {
		const cut = fc.record({
			direction: fc.constantFrom("up" as const, "down" as const),
			afterBytes: fc.integer({ min: 0, max: 3_000 }),
		});
		await fc.assert(
			fc.asyncProperty(
				fc.array(cut, { maxLength: 6 }),
				fc.nat({ max: 10 }),
				async (cuts, answersToLose) => {
					const { endpoints, replica } = await serving(1);
					const proxy = await cutting(endpoints[0] ?? "", cuts);
					const client = connectRaft({
						endpoints: [proxy.address],
						...{ exactlyOnce: true, timeoutMs: 60_000 },
					});
					await client.command(put("first"));
					const { applied } = replica.status();
					replica.answersToLose = answersToLose;
					const versions = new Set<number>();
					const writer = async (name: string) => {
						for (let i = 0; i < 8; i++) {
							const value = "x".repeat(100);
							const { result } = await client.command(put(name + i, value));
							const decoded = decodeResult(result);
							if (decoded.op === "put") versions.add(decoded.version);
						}
					};
					await Promise.all(["a", "b", "c", "d", "e"].map(writer));
					await client.close();
					expect(versions.size).toBe(40);
					expect(replica.status().applied).toBe(applied + 40);
				},
			),
			{ numRuns: 25 },
		);
	});
});
