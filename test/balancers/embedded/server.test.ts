import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { embeddedBalancer } from "../../../src/balancers/embedded/balancer.js";
import type { EmbeddedConfig } from "../../../src/balancers/embedded/config.js";
import {
	type EmbeddedServer,
	startEmbedded,
} from "../../../src/balancers/embedded/server.js";
import { freePort } from "../../daemon/free-port.js";
import { FakeBackend } from "../../fakes/fake-backend.js";

const patient = { timeout: 20_000, interval: 10 };

describe("the embedded balancer", () => {
	const running: { close(): Promise<unknown> }[] = [];
	const backends: FakeBackend[] = [];
	const sockets: Socket[] = [];

	afterEach(async () => {
		for (const socket of sockets.splice(0)) socket.destroy();
		for (const server of running.splice(0)) await server.close();
		for (const backend of backends.splice(0)) await backend.stop();
	});

	async function started(count: number): Promise<FakeBackend[]> {
		const nodes = Array.from(
			{ length: count },
			(_, i) => new FakeBackend(`n${i + 1}`),
		);
		for (const node of nodes) await node.start();
		backends.push(...nodes);
		return nodes;
	}

	async function balancerOver(
		nodes: readonly FakeBackend[],
		changes: Partial<EmbeddedConfig> = {},
	) {
		const [port, adminPort] = [await freePort(), await freePort()];
		const unplaced = vi.fn();
		const left = vi.fn();
		const config: EmbeddedConfig = {
			version: 1,
			cluster: { id: "c1", name: "test" },
			listen: `127.0.0.1:${port}`,
			admin: `127.0.0.1:${adminPort}`,
			backends: nodes.map(({ entry }) => entry),
			checkIntervalMs: 20,
			checkTimeoutMs: 1_000,
			connectTimeoutMs: 1_000,
			holdMs: 20_000,
			maxHeld: 100,
			maxConnections: 10_000,
			halfOpenTimeoutMs: 60_000,
			closeTimeoutMs: 100,
			...changes,
		};
		const reread = { backends: config.backends };
		const server: EmbeddedServer = await startEmbedded(
			config,
			{
				onBackend: () => {},
				onUnplaced: unplaced,
				onLeft: left,
				onAcceptError: (error) => {
					throw error;
				},
			},
			async () => reread,
		);
		running.push(server);
		const balancer = embeddedBalancer({
			kind: "embedded",
			host: "local",
			listen: config.listen,
			admin: config.admin,
			checkIntervalMs: config.checkIntervalMs,
		});
		const states = async () =>
			Object.fromEntries(
				(await balancer.backends()).map(({ node, state }) => [node, state]),
			);
		return { port, server, balancer, states, unplaced, left, config, reread };
	}

	function open(port: number): Socket {
		const socket = connect({ port, host: "127.0.0.1" });
		socket.setEncoding("utf8").on("error", () => {});
		sockets.push(socket);
		return socket;
	}

	/** With or without an error. */
	function closed(socket: Socket): Promise<boolean> {
		return new Promise((resolve) => socket.once("close", () => resolve(true)));
	}

	/** Connects and returns the name of the node that answers. */
	async function nodeBehind(port: number): Promise<string> {
		return String((await once(open(port), "data"))[0]).trim();
	}

	async function allUp(states: () => Promise<Record<string, string>>) {
		await vi.waitFor(
			async () =>
				expect(new Set(Object.values(await states()))).toEqual(new Set(["up"])),
			patient,
		);
	}

	it("spreads connections evenly and counts them until they end", async () => {
		const nodes = await started(3);
		const { port, balancer, states } = await balancerOver(nodes);
		await allUp(states);
		const names = await Promise.all(
			Array.from({ length: 30 }, () => nodeBehind(port)),
		);
		for (const { node } of nodes)
			expect(names.filter((name) => name === node)).toHaveLength(10);
		const counts = async () =>
			(await balancer.backends()).map(({ connections }) => connections);
		expect(await counts()).toEqual([10, 10, 10]);
		for (const socket of sockets) socket.destroy();
		await vi.waitFor(
			async () => expect(await counts()).toEqual([0, 0, 0]),
			patient,
		);
	});

	it("takes other nodes while it runs, and connections to one that goes stay open", async () => {
		const [first, second] = (await started(2)) as [FakeBackend, FakeBackend];
		const { port, balancer, states, reread } = await balancerOver([first]);
		await allUp(states);
		const kept = open(port);
		await once(kept, "data");
		reread.backends = [second.entry];
		await balancer.reload();
		await vi.waitFor(
			async () => expect(await states()).toEqual({ n2: "up" }),
			patient,
		);
		expect(await nodeBehind(port)).toBe("n2");
		expect(kept.destroyed).toBe(false);
		kept.destroy();
		await vi.waitFor(
			async () =>
				expect((await balancer.backends()).map(({ node }) => node)).toEqual([
					"n2",
				]),
			patient,
		);
	});

	it("carries a thousand connections at once, each with its own bytes", async () => {
		// The nodes share this process, whose turns may be long with so many sockets: that is no silence.
		const { port, states } = await balancerOver(await started(3), {
			checkTimeoutMs: 20_000,
		});
		await allUp(states);
		await Promise.all(
			Array.from({ length: 1000 }, async (_, i) => {
				const socket = open(port);
				const line = `client ${i} says what only it says\n`.repeat(20);
				socket.end(line);
				let text = "";
				for await (const chunk of socket) text += chunk;
				expect(text.replace(/^n\d\n/, "")).toBe(line);
			}),
		);
	});

	it("tries the next node when one cannot be connected to, and nobody notices", async () => {
		const nodes = await started(3);
		const { port, states } = await balancerOver(nodes, {
			checkIntervalMs: 60_000,
		});
		await allUp(states);
		await nodes[0]?.stop();
		await nodes[1]?.stop();
		const names = await Promise.all(
			Array.from({ length: 12 }, () => nodeBehind(port)),
		);
		expect(new Set(names)).toEqual(new Set(["n3"]));
		expect(await states()).toMatchObject({ n1: "down", n2: "down", n3: "up" });
	});

	it("sends nobody to a draining node and leaves its connections alone", async () => {
		const nodes = await started(2);
		const { port, balancer, states } = await balancerOver(nodes);
		await allUp(states);
		const before = [open(port), open(port)];
		await Promise.all(before.map((socket) => once(socket, "data")));
		const [draining, other] = nodes as [FakeBackend, FakeBackend];
		draining.state = "draining";
		await vi.waitFor(
			async () => expect((await states()).n1).toBe("drain"),
			patient,
		);
		for (let i = 0; i < 5; i++) expect(await nodeBehind(port)).toBe("n2");
		expect(draining.connections.size).toBe(1);
		for (const socket of before) {
			socket.write("still here");
			expect((await once(socket, "data"))[0]).toBe("still here");
		}
		expect((await balancer.backends())[0]).toEqual({
			node: "n1",
			admitting: false,
			state: "drain",
			connections: 1,
			reason: "draining",
		});
		draining.state = "ready";
		await allUp(states);
		expect(await nodeBehind(port)).toBe("n1");
		expect(other.connections.size).toBe(6);
	});

	it("prefers the nodes it is told to, until the lease is over", async () => {
		const { port, balancer, states } = await balancerOver(await started(3));
		await allUp(states);
		await balancer.prefer(["n2"], 60_000);
		for (let i = 0; i < 4; i++) expect(await nodeBehind(port)).toBe("n2");
		await balancer.prefer(["n2"], 1);
		await vi.waitFor(
			async () => expect(await nodeBehind(port)).not.toBe("n2"),
			patient,
		);
		await expect(balancer.prefer(["n7"], 1_000)).rejects.toMatchObject({
			name: "OperatorError",
			message: expect.stringContaining("n7"),
		});
	});

	it("says of each node why it is not up", async () => {
		const nodes = await started(4);
		const [unready, silent, stranger, gone] = nodes as [
			FakeBackend,
			FakeBackend,
			FakeBackend,
			FakeBackend,
		];
		unready.state = "unready";
		silent.state = "silent";
		stranger.state = "stranger";
		await gone.stop();
		const { balancer } = await balancerOver(nodes, { checkTimeoutMs: 200 });
		await vi.waitFor(
			async () =>
				expect(
					(await balancer.backends()).map(({ state, reason }) => [
						state,
						reason,
					]),
				).toEqual([
					[
						"down",
						"unready: leader-known: no leader is known; caught-up: 7 behind",
					],
					["down", "no answer within 200 ms"],
					["down", "what answers at the admin address is no raftd"],
					["down", "nobody listens"],
				]),
			patient,
		);
	});

	it("resets what is connected to a node that says nothing any more, once there is another", async () => {
		const nodes = await started(2);
		const [frozen, other] = nodes as [FakeBackend, FakeBackend];
		const { port, balancer, states, left } = await balancerOver(nodes, {
			checkTimeoutMs: 100,
		});
		await allUp(states);
		other.state = "draining";
		await vi.waitFor(
			async () => expect(await states()).toMatchObject({ n2: "drain" }),
			patient,
		);
		const socket = open(port);
		expect(String((await once(socket, "data"))[0]).trim()).toBe("n1");
		const end = closed(socket);
		frozen.state = "silent";
		const before = frozen.checks;
		await vi.waitFor(
			() => expect(frozen.checks).toBeGreaterThan(before + 5),
			patient,
		);
		// Nowhere else to go: it may come back.
		expect(left).not.toHaveBeenCalled();
		expect(socket.destroyed).toBe(false);
		other.state = "ready";
		expect(await end).toBe(true);
		expect(left).toHaveBeenCalledWith("n1", 1);
		expect(await nodeBehind(port)).toBe("n2");
		await vi.waitFor(
			async () =>
				expect((await balancer.backends())[0]).toMatchObject({
					...{ state: "down", connections: 0 },
				}),
			patient,
		);
	});

	it("leaves the connections of a node alone that refuses its checks, or says no", async () => {
		const nodes = await started(2);
		const [first] = nodes as [FakeBackend];
		const { port, states, left } = await balancerOver(nodes, {
			checkTimeoutMs: 100,
		});
		await allUp(states);
		const socket = open(port);
		expect(String((await once(socket, "data"))[0]).trim()).toBe("n1");
		first.state = "unready";
		const before = first.checks;
		await vi.waitFor(
			() => expect(first.checks).toBeGreaterThan(before + 5),
			patient,
		);
		await first.stopAdmin();
		await new Promise((resolve) => setTimeout(resolve, 500));
		expect(left).not.toHaveBeenCalled();
		expect(socket.destroyed).toBe(false);
	});

	it("holds connections while there is no node, and places them when one comes", async () => {
		const node = new FakeBackend("n1");
		await node.start();
		await node.stop();
		backends.push(node);
		const { port, config } = await balancerOver([node]);
		const sockets = Array.from({ length: 20 }, () => open(port));
		for (const socket of sockets) socket.write("said before anyone listened");
		const answers = sockets.map(async (socket) => {
			let text = "";
			for await (const chunk of socket) {
				text += chunk;
				if (text.includes("listened")) return text;
			}
			return text;
		});
		await vi.waitFor(async () => {
			const response = await fetch(`http://${config.admin}/v1/backends`);
			expect(await response.json()).toMatchObject({
				connections: 20,
				held: 20,
			});
		}, patient);
		await node.start();
		for (const text of await Promise.all(answers))
			expect(text).toBe("n1\nsaid before anyone listened");
	});

	it("closes connections when no node comes in time or too many wait", async () => {
		const { port, unplaced } = await balancerOver(
			[new FakeBackend("n1")].map((node) => {
				node.state = "unready";
				return node;
			}),
			{ holdMs: 50, maxHeld: 2 },
		);
		await Promise.all(Array.from({ length: 5 }, () => closed(open(port))));
		expect(unplaced).toHaveBeenCalledTimes(5);
	});

	it("does not give up on a node whose checks pass though it takes no connection", async () => {
		const nodes = await started(1);
		const [node] = nodes as [FakeBackend];
		const { port, states } = await balancerOver(nodes);
		await allUp(states);
		await node.stopClients();
		const name = nodeBehind(port);
		await vi.waitFor(
			async () => expect((await states()).n1).toBe("down"),
			patient,
		);
		await node.startClients();
		expect(await name).toBe("n1");
	});

	it("lets connections go on when it is closed, and cuts them at the limit", async () => {
		const { port, server, states } = await balancerOver(await started(1), {
			closeTimeoutMs: 300,
		});
		await allUp(states);
		const [leaving, staying] = [open(port), open(port)];
		await Promise.all([once(leaving, "data"), once(staying, "data")]);
		const stayingClosed = closed(staying);
		const closing = server.close();
		leaving.end("last words");
		expect((await once(leaving, "data"))[0]).toBe("last words");
		expect(await closing).toEqual({ cut: 1 });
		expect(await stayingClosed).toBe(true);
		const [error] = await once(open(port), "error");
		expect((error as NodeJS.ErrnoException).code).toBe("ECONNREFUSED");
	});

	it("answers what it does not understand with what is wrong", async () => {
		const { config } = await balancerOver(await started(1));
		const ask = async (path: string, init?: RequestInit) => {
			const response = await fetch(`http://${config.admin}${path}`, init);
			return [response.status, await response.json()];
		};
		const post = (body: string) => ask("/v1/prefer", { method: "POST", body });
		expect(await ask("/v1/nothing")).toMatchObject([404, {}]);
		expect(await ask("/v1/prefer")).toMatchObject([405, {}]);
		expect(await post("{")).toMatchObject([400, {}]);
		expect(await post('{"nodes":["n1"],"leaseMs":-1}')).toMatchObject([
			400,
			{},
		]);
		expect(await post(`"${"x".repeat(70_000)}"`)).toMatchObject([413, {}]);
		expect(await post('{"nodes":["n1"],"leaseMs":50}')).toEqual([
			200,
			{ preferred: ["n1"] },
		]);
	});
});
