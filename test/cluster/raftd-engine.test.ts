import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ClockAheadError } from "../../src/cluster/clock-ahead.js";
import { gatherFacts } from "../../src/cluster/facts.js";
import { createRaftdEngine } from "../../src/cluster/raftd-engine.js";
import { OperatorError } from "../../src/errors.js";

interface Answer {
	readonly status?: number;
	readonly body: unknown;
}

const servers: Server[] = [];
const engine = createRaftdEngine();

/** An admin port that answers each method as told; null never answers. */
async function adminPort(
	answers: Readonly<Record<string, Answer | null>>,
	asked: { method: string; body: unknown }[] = [],
): Promise<{ id: string; admin: string }> {
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk) => chunks.push(chunk));
		request.on("end", () => {
			const method = request.url?.split("/").pop() ?? "";
			asked.push({
				method,
				body: JSON.parse(Buffer.concat(chunks).toString()),
			});
			const answer = answers[method];
			if (answer === null) return;
			response.statusCode = answer?.status ?? (answer ? 200 : 404);
			const body = answer?.body ?? "nothing here";
			response.end(typeof body === "string" ? body : JSON.stringify(body));
		});
	});
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return { id: "n1", admin: `127.0.0.1:${port}` };
}

afterEach(() => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		server.close();
	}
});

async function failure(work: Promise<unknown>): Promise<OperatorError> {
	const error = await work.catch((reason: unknown) => reason);
	expect(error).toBeInstanceOf(OperatorError);
	return error as OperatorError;
}

const options = { timeoutMs: 2_000 };
const healthy = {
	clusterId: "c1",
	nodeId: "n1",
	role: "leader",
	term: "3",
	leaderId: "n1",
	commitIndex: "9007199254740991",
	followers: [
		{ id: "n2", matchIndex: "12", heardAgoMs: "Infinity" },
		{ id: "n3", counted: true, catchUp: { remainingMs: -1, lagEntries: "7" } },
	],
};

it("tells a node whose clock is off from one that refuses", async () => {
	const body = {
		code: "out_of_range",
		message: "the clock of the node that took it is 60 s ahead",
	};
	const node = await adminPort({ RenewLock: { status: 400, body } });
	const renewal = { fencingToken: 1, ttlMs: 1_000, step: "" };
	const error = await failure(engine.renewLock(node, renewal, options));
	expect(error).toBeInstanceOf(ClockAheadError);
	expect(error).toMatchObject({
		...{ kind: "unreachable", node: "n1" },
		message: `n1: ${body.message}`,
		remedy: expect.stringContaining("set the clock of n1 right"),
	});
});

describe("a node's status", () => {
	it("has zero values filled in and big integers as numbers", async () => {
		const node = await adminPort({ GetStatus: { body: healthy } });
		const status = await engine.status(node, options);
		expect(status).toMatchObject({
			term: 3,
			commitIndex: Number.MAX_SAFE_INTEGER,
			appliedIndex: 0,
			ready: false,
			members: [],
			lock: null,
			connections: { total: 0, websockets: 0, streams: 0 },
			drain: { draining: false, connectionsLeft: 0 },
		});
		expect(status.followers[0]?.heardAgoMs).toBe(Number.POSITIVE_INFINITY);
		expect(status).toMatchObject({
			...{ operation: null, snapshotSchedule: null },
			...{ scheduledSnapshot: null, writeLevel: null },
		});
		expect(status.followers[1]).toMatchObject({
			counted: true,
			catchUp: { lagEntries: 7, remainingMs: null, caughtUp: false },
		});
	});

	for (const [field, value] of [
		["commitIndex", "9007199254740993"],
		["commitIndex", "-1"],
		["term", { high: 1 }],
		["role", "king"],
		["uptimeMs", "NaN"],
		["connectedPeers", "n2"],
		["clusterId", 7],
		["operation", "roll"],
		["operation", { record: {} }],
		["snapshotSchedule", { keep: -1 }],
		["scheduledSnapshot", { bytes: "many" }],
		["writeLevel", { release: "1", level: 0.5 }],
	] as const)
		it(`is not believed when ${field} is ${JSON.stringify(value)}`, async () => {
			const body = { ...healthy, [field]: value };
			const node = await adminPort({ GetStatus: { body } });
			const { kind, state } = await failure(engine.status(node, options));
			expect(kind).toBe("unreachable");
			const inner = typeof value === "object" ? Object.keys(value) : [];
			expect([field, ...inner].some((name) => state?.includes(name))).toBe(
				true,
			);
		});

	it("of something that is not raftd is unreachable, not a crash", async () => {
		const node = await adminPort({ GetStatus: { body: "<html>" } });
		const { kind, message } = await failure(engine.status(node, options));
		expect(kind).toBe("unreachable");
		expect(message).toContain("not raftd's admin port");
	});

	it("costs no more than the time it is given when nobody answers", async () => {
		const node = await adminPort({ GetStatus: null });
		const { kind, message } = await failure(
			engine.status(node, { timeoutMs: 50 }),
		);
		expect(kind).toBe("unreachable");
		expect(message).toBe("n1 did not answer within 50 ms");
	});

	it("gives up at once when the operation ends, with its reason", async () => {
		const node = await adminPort({ GetStatus: null });
		const abort = new AbortController();
		const reason = new OperatorError("interrupted", "interrupted");
		const asking = engine.status(node, { ...options, signal: abort.signal });
		abort.abort(reason);
		await expect(asking).rejects.toBe(reason);
	});
});

describe("what a node refuses", () => {
	for (const [code, kind, exitCode] of [
		["aborted", "locked", 13],
		["failed_precondition", "refused", 11],
		["unavailable", "unreachable", 20],
		["deadline_exceeded", "timeout", 12],
		["permission_denied", "unreachable", 20],
		["internal", "unexpected", 1],
	] as const)
		it(`as ${code} ends as ${kind}, in the node's own words`, async () => {
			const node = await adminPort({
				Undrain: { status: 400, body: { code, message: "because" } },
			});
			const error = await failure(engine.undrain(node, 5, options));
			expect(error).toMatchObject({ kind, exitCode, message: "n1: because" });
		});
});

it("a right that is missing is not waited for, and the way to it is said", async () => {
	for (const code of ["permission_denied", "unauthenticated"]) {
		const node = await adminPort({
			Undrain: { status: 403, body: { code, message: "because" } },
		});
		const error = await failure(engine.undrain(node, 5, options));
		expect(error).toMatchObject({ kind: "unreachable", isLasting: true });
		expect(error).toMatchObject({ next: expect.stringContaining("tls.md") });
	}
});

describe("what comes with a refusal", () => {
	const refused = (details: unknown) =>
		adminPort({
			WriteOperation: {
				status: 400,
				body: { code: "failed_precondition", message: "because", details },
			},
		});
	const write = { id: "o", unfinished: true, record: "{}", fencingToken: 1 };

	for (const [what, details] of [
		["is no list", "no"],
		["is a list of nothing", [null, 7, {}]],
		["is of another service", [{ type: "x.Refusal", value: "AAAA" }]],
		[
			"is no message",
			[{ type: "raftctl.admin.v1.OperationRefusal", value: "////" }],
		],
	] as const)
		it(`does not hide the node's words when it ${what}`, async () => {
			const node = await refused(details);
			const error = await failure(engine.writeOperation(node, write, options));
			expect(error).toMatchObject({ kind: "refused", message: "n1: because" });
		});

	it("that another leads now makes it something that time heals", async () => {
		const node = await refused([
			{ type: "raftctl.admin.v1.Member", value: "" },
		]);
		const error = await failure(engine.writeOperation(node, write, options));
		expect(error.kind).toBe("unreachable");
	});
});

describe("what a node is told", () => {
	it("carries fencing tokens as the protocol's strings", async () => {
		const asked: { method: string; body: unknown }[] = [];
		const node = await adminPort({ Drain: { body: {} } }, asked);
		const request = {
			leaseMs: 15_000,
			close: false,
			closeOverMs: 0,
			fencingToken: 7,
		};
		const drain = await engine.drain(node, request, options);
		expect(drain.draining).toBe(false);
		expect(asked).toEqual([
			{ method: "Drain", body: { ...request, fencingToken: "7" } },
		]);
	});

	it("goes to the leader when leadership moves, wherever it was asked", async () => {
		const asked: { method: string; body: unknown }[] = [];
		const leader = await adminPort(
			{ TransferLeadership: { body: { leaderId: "n3", durationMs: 12.5 } } },
			asked,
		);
		const members = [
			{ id: "n1", role: "voter" },
			{ id: "n2", role: "voter", adminAddress: leader.admin },
		];
		const node = await adminPort({
			GetStatus: {
				body: {
					...healthy,
					role: "follower",
					leaderId: "n2",
					configuration: { members },
				},
			},
		});
		expect(await engine.transferLeadership(node, "n3", 7, options)).toEqual({
			leader: "n3",
			durationMs: 12.5,
		});
		expect(asked[0]?.body).toEqual({ target: "n3", fencingToken: "7" });
	});
});

describe("gathering facts", () => {
	it("keeps those that answer when others do not", async () => {
		const one = await adminPort({ GetStatus: { body: healthy } });
		const dead = { id: "n2", admin: "127.0.0.1:1" };
		const facts = await gatherFacts(
			engine,
			{ clusterId: "c1", nodes: [one, dead] },
			options,
		);
		expect(facts.nodes[0]?.status?.nodeId).toBe("n1");
		expect(facts.nodes[1]).toMatchObject({
			status: null,
			fault: expect.stringContaining("does not answer"),
		});
	});

	it("believes neither another cluster nor another node at the address", async () => {
		const node = await adminPort({ GetStatus: { body: healthy } });
		const foreign = await gatherFacts(
			engine,
			{ clusterId: "other", nodes: [node] },
			options,
		);
		expect(foreign.nodes[0]?.fault).toContain("another cluster (c1)");
		const swapped = await gatherFacts(
			engine,
			{ clusterId: "c1", nodes: [{ ...node, id: "n2" }] },
			options,
		);
		expect(swapped.nodes[0]?.fault).toContain("answers as n1");
	});
});
