import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type {
	BalancerEntry,
	NodeEntry,
} from "../../../src/config/inventory.js";
import { localHost } from "../../../src/hosts/local.js";
import {
	reachFindings,
	type Tried,
	waysAmong,
} from "../../../src/operations/host-checks/reach.js";
import {
	parseReach,
	type ReachWish,
	reachWords,
} from "../../../src/operations/host-checks/reach-program.js";

const servers: Server[] = [];
afterEach(() => {
	for (const server of servers.splice(0)) server.close();
});

async function freePort(): Promise<number> {
	const server = await listening();
	const address = server.address();
	server.close();
	return typeof address === "object" ? (address?.port ?? 0) : 0;
}

function listening(port = 0): Promise<Server> {
	return new Promise((resolve) => {
		const server = createServer((socket) => socket.destroy());
		servers.push(server);
		server.listen(port, "127.0.0.1", () => resolve(server));
	});
}

async function run(wish: Partial<ReachWish>) {
	const { exitCode, stdout, stderr } = await localHost().run(
		reachWords({ listen: [], connect: [], seconds: 3, ...wish }),
		{ timeoutMs: 30_000 },
	);
	expect([exitCode, stderr]).toEqual([0, ""]);
	return parseReach(stdout);
}

const host = "127.0.0.1";

describe("two machines that try whether they reach each other", () => {
	it("hear each other before any node runs, whichever comes first", async () => {
		const [one, other] = [await freePort(), await freePort()];
		const [first, second] = await Promise.all([
			run({
				listen: [{ host, port: one, callers: 1 }],
				connect: [{ host, port: other }],
			}),
			run({
				listen: [{ host, port: other, callers: 1 }],
				connect: [{ host, port: one }],
			}),
		]);
		expect([...first.reached, ...second.reached]).toEqual([
			[`${host}:${other}`, "open"],
			[`${host}:${one}`, "open"],
		]);
	});

	it("leave a port to the program that has it, and reach that", async () => {
		const port = await freePort();
		await listening(port);
		const { reached, unheard } = await run({
			listen: [{ host, port, callers: 1 }],
			connect: [{ host, port }],
		});
		expect([...unheard]).toEqual([[`${host}:${port}`, "busy"]]);
		expect([...reached]).toEqual([[`${host}:${port}`, "open"]]);
	});

	it("tell what nobody listens on, an address that is not theirs and a name that nobody knows", async () => {
		const port = await freePort();
		const { reached, unheard } = await run({
			seconds: 1,
			listen: [{ host: "203.0.113.7", port, callers: 0 }],
			connect: [
				{ host, port },
				{ host: "no-such-host.invalid", port },
			],
		});
		expect([...unheard]).toEqual([[`203.0.113.7:${port}`, "absent"]]);
		expect(Object.fromEntries(reached)).toEqual({
			[`${host}:${port}`]: "refused",
			[`no-such-host.invalid:${port}`]: "failed",
		});
	});
});

function node(id: string, on: string): NodeEntry {
	const address = (port: number) => `10.0.0.${id.slice(1)}:${port}`;
	return {
		...{ id, host: on, role: "voter", dataDirectory: "/data" },
		...{ peer: address(1), client: address(2), admin: address(3) },
		agent: address(4),
	};
}

const nodes = [node("n1", "h1"), node("n2", "h2"), node("n3", "local")];

describe("the ways between machines", () => {
	it("are those that nodes, the balancer and raftctl need, between those that can be asked", () => {
		const balancer: BalancerEntry = {
			kind: "haproxy",
			...{ hosts: ["lb"], bind: "*:1", listen: "lb:1" },
			...{ reload: null, config: "/c", socket: "/s", tcp: null },
			...{ checkIntervalMs: 1, fall: 1, rise: 1 },
		};
		const ways = waysAmong({ nodes, balancer }, ["h1", "lb"]);
		expect(
			ways.map(({ from, node, name }) => `${from} ${node} ${name}`),
		).toEqual([
			"local n1 peer",
			"local n1 client",
			"local n1 admin",
			"lb n1 client",
			"lb n1 admin",
			"lb n1 agent",
		]);
	});

	const way = (from: string, to: string, address: string) => ({
		...{ from, to, address, node: "n1", name: "peer" as const },
	});
	const said = (text: string): Tried => parseReach(text);

	it("are told by the host that is not reached, with all that fail at it alike", () => {
		const ways = [way("h1", "h2", "10.0.0.2:1"), way("h3", "h2", "10.0.0.2:1")];
		const silent = "silent 10.0.0.2 1\n";
		const findings = reachFindings(
			ways,
			new Map([
				["h1", said(silent)],
				["h2", said("")],
				["h3", said(silent)],
			]),
		);
		expect(findings).toMatchObject([
			{
				...{ severity: "problem", host: "h2" },
				what: "it is not reached from h1, h3: nothing comes back from 10.0.0.2:1 (peer of n1)",
				remedy: expect.stringContaining("nc -vz 10.0.0.2 1"),
			},
		]);
	});

	it("are fine where being refused only means that nobody listens", () => {
		const ways = [way("h1", "h2", "10.0.0.2:1")];
		const refused = said("refused 10.0.0.2 1\n");
		const without = new Map([["h1", refused]]);
		expect(reachFindings(ways, without)).toEqual([]);
		const heard = new Map([...without, ["h2", said("")] as const]);
		expect(reachFindings(ways, heard)).toMatchObject([
			{ host: "h2", what: expect.stringContaining("refused on the way") },
		]);
	});

	it("say of an address that no machine has whose it should be", () => {
		const tried = new Map([
			["h2", said("absent 10.0.0.9 1\nbusy 10.0.0.9 2\n")],
		]);
		expect(reachFindings([], tried)).toMatchObject([
			{ host: "h2", what: expect.stringContaining("10.0.0.9:1") },
		]);
	});
});
