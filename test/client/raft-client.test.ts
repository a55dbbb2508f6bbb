import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { connectRaft, NotDoneError } from "../../src/client/index.js";
import {
	decodeAnswer,
	decodeResult,
	encodeCommand,
	encodeQuery,
} from "../../src/machines/kv/codec.js";
import { freePort } from "../daemon/free-port.js";
import { cutting, kept, serving } from "./cluster.js";

const put = (key: string, value = "") =>
	encodeCommand({ op: "put", key, value });
const get = (key: string) => encodeQuery({ op: "get", key });
const patient = { timeout: 20_000, interval: 5 };

describe("the client's requests", () => {
	it("executes commands and answers queries", async () => {
		const { endpoints } = await serving(1);
		const client = kept(connectRaft({ endpoints }));
		const { index, result } = await client.command(put("a", "1"));
		expect(decodeResult(result)).toEqual({ op: "put", version: index });
		const answer = await client.query(get("a"), { minIndex: index });
		expect(answer.index).toBe(index);
		expect(decodeAnswer(answer.result)).toEqual({
			op: "get",
			found: true,
			value: Buffer.from("1"),
			version: index,
		});
	});

	it("goes to the leader where that is one of its endpoints, and stays where it is when asked to", async () => {
		const { endpoints, replica, apis } = await serving(3);
		replica.leaderClient = endpoints[1] as string;
		const streams = () => apis.map((api) => api.connections().streams);
		const clients = Array.from({ length: 6 }, () =>
			kept(connectRaft({ endpoints })),
		);
		for (const client of clients) await client.command(put("a", "1"));
		await vi.waitFor(() => expect(streams()).toEqual([0, 6, 0]), patient);
		const [first] = endpoints as [string];
		const away = kept(connectRaft({ endpoints: [first] }));
		await away.command(put("a", "2"));
		await vi.waitFor(() => expect(streams()).toEqual([1, 6, 0]), patient);
		const spread = Array.from({ length: 20 }, () =>
			kept(connectRaft({ endpoints, prefer: "any" })),
		);
		for (const client of spread) await client.command(put("a", "3"));
		expect(streams()[0]).toBeGreaterThan(1);
	});

	it("serves through a follower when the leader it is told of cannot be reached", async () => {
		const { endpoints, replica } = await serving(2);
		const gone = `127.0.0.1:${await freePort()}`;
		replica.leaderClient = gone;
		const client = kept(
			connectRaft({ endpoints: [...endpoints, gone], timeoutMs: 20_000 }),
		);
		const { index } = await client.command(put("a", "1"));
		expect(index).toBe(1);
	});

	it("refuses at once what no frame holds, and goes on", async () => {
		const { endpoints } = await serving(1);
		const client = kept(connectRaft({ endpoints }));
		await expect(
			client.command(new Uint8Array(3 * 1024 * 1024)),
		).rejects.toMatchObject({ name: "NotDoneError", reason: "too-large" });
		await client.command(put("a", "1"));
	});

	it("hands on how a command is to be acknowledged and a query answered", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints }));
		expect(await client.command(put("a"), { ack: "none" })).toMatchObject({
			index: 0,
		});
		expect(await client.command(put("b"), { ack: "commit" })).toMatchObject({
			index: 2,
		});
		await client.query(get("a"), {
			consistency: "stale",
			minIndex: 2,
			timeoutMs: 700,
		});
		expect(replica.proposals.map(({ ack }) => ack)).toEqual(["none", "commit"]);
		expect(replica.queries[0]).toMatchObject({
			consistency: "stale",
			minIndex: 2,
		});
		expect(replica.queries[0]?.deadlineMs).toBeLessThanOrEqual(700);
	});

	it("carries thousands of requests at once over one connection, each with its own answer", async () => {
		const { endpoints, apis } = await serving(1);
		const client = kept(connectRaft({ endpoints }));
		await client.command(put("warm"));
		const values = Array.from({ length: 5_000 }, (_, i) =>
			`${i}`.repeat((i % 50) + 1),
		);
		await Promise.all(
			values.map((value, i) => client.command(put(`k${i}`, value))),
		);
		const answers = await Promise.all(
			values.map((_, i) => client.query(get(`k${i}`))),
		);
		expect(
			answers.map(({ result }) => {
				const answer = decodeAnswer(result);
				return answer.op === "get" && answer.found && answer.value.toString();
			}),
		).toEqual(values);
		expect(apis[0]?.connections()).toMatchObject({ streams: 1 });
	});

	it("spreads requests over as many connections as it is told to", async () => {
		const { endpoints, apis } = await serving(1);
		const client = kept(connectRaft({ endpoints, connections: 3 }));
		await Promise.all(
			Array.from({ length: 9 }, (_, i) => client.command(put(`k${i}`))),
		);
		expect(apis[0]?.connections()).toMatchObject({ streams: 3 });
	});

	it.each([
		["no-leader", 3],
		["lost", 2],
		["stopping", 2],
		["overloaded", 2],
	] as const)("sends again what was refused as %s", async (reason, times) => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, timeoutMs: 20_000 }));
		for (let i = 0; i < times; i++)
			replica.nextOutcomes.push({
				kind: "rejected",
				reason,
				message: "not now",
				retryAfterMs: 1,
			});
		const { result } = await client.command(put("a"));
		expect(decodeResult(result)).toEqual({ op: "put", version: 1 });
		expect(replica.proposals).toHaveLength(times + 1);
	});

	it("sends no more at once than a node takes that has sent some away, and says so of the rest", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, maxAttempts: 1 }));
		const failed = (each: PromiseSettledResult<unknown>) =>
			each.status === "rejected" ? each.reason : null;
		replica.nextOutcomes.push({
			...{ kind: "rejected", reason: "overloaded", message: "full" },
			retryAfterMs: 1,
		});
		await expect(client.command(put("a"))).rejects.toMatchObject({
			reason: "overloaded",
			attempts: 1,
		});
		const settled = await Promise.allSettled(
			Array.from({ length: 50 }, (_, at) => client.command(put(`k${at}`))),
		);
		const heldBack = settled.map(failed).filter((error) => error !== null);
		expect(heldBack).toHaveLength(42);
		for (const error of heldBack)
			expect(error).toMatchObject({
				...{ name: "NotDoneError", reason: "overloaded", attempts: 0 },
			});
		expect(replica.proposals).toHaveLength(9);
	});

	it("reads the answers that make room, although an application tries again at once what is held back", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, maxAttempts: 1 }));
		replica.nextOutcomes.push({
			...{ kind: "rejected", reason: "overloaded", message: "full" },
			retryAfterMs: 1,
		});
		await expect(client.command(put("a"))).rejects.toMatchObject({
			reason: "overloaded",
		});
		const impatient = async (key: string): Promise<void> => {
			for (;;) {
				try {
					await client.command(put(key));
					return;
				} catch {
					// Again, without a pause: that is the point.
				}
			}
		};
		const all = Array.from({ length: 50 }, (_, at) => impatient(`k${at}`));
		await Promise.all(all);
		expect(replica.proposals).toHaveLength(51);
	});

	it("does in the end what it held back, as long as there is time", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints, timeoutMs: 20_000 }));
		replica.nextOutcomes.push({
			...{ kind: "rejected", reason: "overloaded", message: "full" },
			retryAfterMs: 1,
		});
		const answers = await Promise.all(
			Array.from({ length: 200 }, (_, at) => client.command(put(`k${at}`))),
		);
		expect(new Set(answers.map(({ index }) => index)).size).toBe(200);
	});

	it("leaves a node that was removed from the cluster, for good", async () => {
		const [gone, member] = [await serving(1), await serving(1)];
		const message = "n1 was removed from the cluster; ask another node";
		for (let i = 0; i < 3; i++)
			gone.replica.nextOutcomes.push({
				...{ kind: "rejected", reason: "stopping", message, retryAfterMs: 500 },
			});
		const endpoints = [...gone.endpoints, ...member.endpoints];
		const client = kept(connectRaft({ endpoints, timeoutMs: 20_000 }));
		for (const key of ["a", "b", "c", "d", "e", "f"])
			await client.command(put(key));
		expect(gone.replica.proposals.length).toBeLessThanOrEqual(1);
		expect(member.replica.proposals).toHaveLength(6);
	});

	it.each(["invalid", "too-large", "timeout"] as const)(
		"does not send again what was refused as %s",
		async (reason) => {
			const { endpoints, replica } = await serving(1);
			const client = kept(connectRaft({ endpoints }));
			replica.nextOutcomes.push({
				kind: "rejected",
				reason,
				message: "never",
				retryAfterMs: 0,
			});
			await expect(client.command(put("a"))).rejects.toMatchObject({
				name: "NotDoneError",
				reason,
				attempts: 1,
				message: "never",
			});
			expect(replica.proposals).toHaveLength(1);
		},
	);

	it("gives up sending again when the time or the attempts are used up", async () => {
		const { endpoints, replica } = await serving(1);
		const refuse = () => {
			for (let i = 0; i < 100; i++)
				replica.nextOutcomes.push({
					kind: "rejected",
					reason: "no-leader",
					message: "no leader",
					retryAfterMs: 0,
				});
		};
		refuse();
		const few = kept(
			connectRaft({ endpoints, maxAttempts: 3, timeoutMs: 60_000 }),
		);
		await expect(few.command(put("a"))).rejects.toMatchObject({
			reason: "no-leader",
			attempts: 3,
		});
		const short = kept(connectRaft({ endpoints, timeoutMs: 300 }));
		await expect(short.command(put("a"))).rejects.toMatchObject({
			name: "NotDoneError",
			reason: "no-leader",
		});
		expect(replica.status().applied).toBe(0);
	});

	it("never sends a command again whose outcome is unknown", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints }));
		replica.nextOutcomes.push({
			kind: "unknown",
			message: "leadership was lost",
		});
		await expect(client.command(put("a"))).rejects.toMatchObject({
			name: "OutcomeUnknownError",
			reason: "unknown",
			message: "leadership was lost",
		});
		expect(replica.proposals).toHaveLength(1);
	});

	it("calls a command that is not answered in time unknown, and a query not done", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(connectRaft({ endpoints }));
		await client.command(put("warm"));
		replica.hold();
		const [command, query] = await Promise.allSettled([
			client.command(put("a"), { timeoutMs: 30 }),
			client.query(get("a"), { timeoutMs: 30 }),
		]);
		expect(command).toMatchObject({
			reason: { name: "OutcomeUnknownError", reason: "timeout" },
		});
		expect(query).toMatchObject({
			reason: { name: "NotDoneError", reason: "timeout" },
		});
		// The late answers belong to nobody; the connection is good for the next request.
		replica.release();
		expect(decodeResult((await client.command(put("b"))).result)).toMatchObject(
			{ op: "put" },
		);
	});

	it("calls commands on a lost connection unknown, and asks queries again on the next", async () => {
		const { endpoints, replica } = await serving(1);
		const proxy = await cutting(endpoints[0] ?? "");
		const client = kept(connectRaft({ endpoints: [proxy.address] }));
		await client.command(put("a", "1"));
		replica.hold();
		const outcomes = Promise.allSettled([
			client.command(put("b")),
			client.query(get("a")),
		]);
		await vi.waitFor(() => expect(replica.queries).toHaveLength(1), patient);
		proxy.cutAll();
		await vi.waitFor(() => expect(replica.queries).toHaveLength(2), patient);
		replica.release();
		const [command, query] = await outcomes;
		expect(command).toMatchObject({
			reason: { name: "OutcomeUnknownError", reason: "connection-lost" },
		});
		expect(query).toMatchObject({ status: "fulfilled" });
		expect(replica.proposals).toHaveLength(2);
	});

	it("leaves a connection that fell silent, though it never broke", async () => {
		const { endpoints } = await serving(1);
		const proxy = await cutting(endpoints[0] ?? "");
		const client = kept(
			connectRaft({ endpoints: [proxy.address], connectTimeoutMs: 200 }),
		);
		await client.command(put("a"));
		proxy.stallAll();
		await expect(
			client.command(put("b"), { timeoutMs: 400 }),
		).rejects.toMatchObject({ name: "OutcomeUnknownError", reason: "timeout" });
		await client.command(put("c"));
		expect(proxy.accepted).toBe(2);
	});

	it("goes to another endpoint when one does not answer", async () => {
		const { endpoints } = await serving(1);
		const dead = [
			`127.0.0.1:${await freePort()}`,
			`127.0.0.1:${await freePort()}`,
		];
		const clients = Array.from({ length: 6 }, () =>
			kept(connectRaft({ endpoints: [...dead, ...endpoints] })),
		);
		const answers = await Promise.all(
			clients.map((client) => client.command(put("a"))),
		);
		expect(answers).toHaveLength(6);
	});

	it("says that nobody could be reached, and why, when the time is over", async () => {
		const endpoint = `127.0.0.1:${await freePort()}`;
		const client = kept(connectRaft({ endpoints: [endpoint], timeoutMs: 100 }));
		await expect(client.command(put("a"))).rejects.toMatchObject({
			name: "NotDoneError",
			reason: "unreachable",
			attempts: 0,
			message: expect.stringContaining("ECONNREFUSED"),
		});
	});

	it("says at once that an endpoint does not speak its protocol", async () => {
		const server = createServer((_request, response) => response.end("hello"));
		await new Promise<void>((resolve) =>
			server.listen(0, "127.0.0.1", resolve),
		);
		const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
		const client = connectRaft({ endpoints: [endpoint], timeoutMs: 3_600_000 });
		try {
			await expect(client.command(put("a"))).rejects.toMatchObject({
				reason: "unsupported",
				message: expect.stringContaining(endpoint),
			});
		} finally {
			await client.close();
			server.close();
		}
	});

	it.each(["", "host", "host:0", "host:65536", "http://host:1", "a:b:1"])(
		"does not take %j for an endpoint",
		(endpoint) => {
			expect(() => connectRaft({ endpoints: [endpoint] })).toThrow(TypeError);
		},
	);

	it("refuses what is over its limits at once, and takes more when there is room again", async () => {
		const { endpoints, replica } = await serving(1);
		const client = kept(
			connectRaft({ endpoints, maxPending: 2, maxPendingBytes: 1_000 }),
		);
		replica.hold();
		const first = client.command(put("a"));
		await expect(
			client.command(put("b", "x".repeat(1_000))),
		).rejects.toMatchObject({
			reason: "too-many",
		});
		const second = client.command(put("c"));
		await expect(client.command(put("d"))).rejects.toMatchObject({
			reason: "too-many",
		});
		await vi.waitFor(() => expect(replica.proposals).toHaveLength(2), patient);
		replica.release();
		await Promise.all([first, second]);
		await client.command(put("e"));
	});

	it("waits at its end for what was sent, and takes nothing more", async () => {
		const { endpoints, replica, apis } = await serving(1);
		const client = connectRaft({ endpoints });
		replica.hold();
		const last = client.command(put("a"));
		await vi.waitFor(() => expect(replica.proposals).toHaveLength(1), patient);
		const closed = client.close();
		await expect(client.command(put("b"))).rejects.toMatchObject({
			reason: "closed",
		});
		replica.release();
		expect(decodeResult((await last).result)).toMatchObject({ op: "put" });
		await closed;
		await client.close();
		await vi.waitFor(
			() => expect(apis[0]?.connections().total).toBe(0),
			patient,
		);
	});

	it("loses nothing while one server after the other asks it to leave", async () => {
		const { endpoints, apis, replica } = await serving(3);
		const client = kept(connectRaft({ endpoints, connections: 4 }));
		let over = false;
		let done = 0;
		const writer = async (name: number) => {
			for (let i = 0; !over; i++) {
				await client.command(put(`${name}/${i}`));
				done++;
			}
		};
		const writers = Promise.all(
			Array.from({ length: 20 }, (_, i) => writer(i)),
		);
		for (const api of apis) {
			const target = done + 200;
			await vi.waitFor(() => expect(done).toBeGreaterThan(target), patient);
			api.beginClosing(1);
			await vi.waitFor(
				() => expect(api.connections().streams).toBe(0),
				patient,
			);
			api.stopClosing();
		}
		over = true;
		await writers;
		expect(replica.status().applied).toBe(done);
	});

	it("does each command at most once, and tells the truth about it, wherever connections break", async () => {
		const cut = fc.record({
			direction: fc.constantFrom("up" as const, "down" as const),
			afterBytes: fc.integer({ min: 0, max: 3_000 }),
		});
		await fc.assert(
			fc.asyncProperty(fc.array(cut, { maxLength: 6 }), async (cuts) => {
				const { endpoints, replica } = await serving(1);
				const proxy = await cutting(endpoints[0] ?? "", cuts);
				const client = connectRaft({
					endpoints: [proxy.address],
					timeoutMs: 20_000,
				});
				const fates = new Map<string, string>();
				const versions = new Set<number>();
				const one = async (key: string) => {
					try {
						const { result } = await client.command(put(key, "x".repeat(100)));
						const decoded = decodeResult(result);
						if (decoded.op === "put") versions.add(decoded.version);
						fates.set(key, "done");
					} catch (error) {
						fates.set(key, (error as Error).name);
						if (error instanceof NotDoneError) throw error;
					}
				};
				const writer = async (name: string) => {
					for (let i = 0; i < 8; i++) await one(`${name}${i}`);
				};
				await Promise.all(["a", "b", "c", "d", "e"].map(writer));
				await client.close();
				const done = [...fates.values()].filter(
					(fate) => fate === "done",
				).length;
				const unknown = fates.size - done;
				expect(fates.size).toBe(40);
				// Each answer is a command of its own, and only unknown ones may have been executed beside them.
				expect(versions.size).toBe(done);
				expect(replica.proposals.length).toBeGreaterThanOrEqual(done);
				expect(replica.proposals.length).toBeLessThanOrEqual(done + unknown);
			}),
			{ numRuns: 25 },
		);
	});
});
