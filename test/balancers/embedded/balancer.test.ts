import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { embeddedBalancer } from "../../../src/balancers/embedded/balancer.js";
import { embeddedConfig } from "../../../src/balancers/embedded/config.js";
import type {
	EmbeddedBalancerEntry,
	Inventory,
} from "../../../src/config/inventory.js";
import { freePort } from "../../daemon/free-port.js";

const entry = (port: number): EmbeddedBalancerEntry => ({
	kind: "embedded",
	host: "local",
	listen: "127.0.0.1:7000",
	admin: `127.0.0.1:${port}`,
	checkIntervalMs: 250,
});

describe("the embedded balancer as an operation sees it", () => {
	const servers: Server[] = [];
	afterEach(() => {
		for (const server of servers.splice(0)) {
			server.close();
			server.closeAllConnections();
		}
	});

	async function answering(status: number, body: string): Promise<number> {
		const server = createServer((_request, response) => {
			response.writeHead(status).end(body);
		});
		servers.push(server);
		await new Promise<void>((resolve) =>
			server.listen(0, "127.0.0.1", resolve),
		);
		return (server.address() as AddressInfo).port;
	}

	it("is unreachable when nobody listens, with what to type next", async () => {
		const balancer = embeddedBalancer(entry(await freePort()));
		await expect(balancer.backends()).rejects.toMatchObject({
			name: "OperatorError",
			kind: "unreachable",
			next: expect.stringContaining("raftctl up"),
		});
	});

	it.each([
		[200, "hello"],
		[200, '{"backends":[{"node":"n1"}]}'],
		[404, "not found"],
	])(
		"is unreachable when something else answers: %i %s",
		async (status, body) => {
			const balancer = embeddedBalancer(entry(await answering(status, body)));
			await expect(balancer.backends()).rejects.toMatchObject({
				kind: "unreachable",
				message: expect.stringContaining("not the balancer"),
			});
		},
	);

	it("ends with the reason given when it is aborted", async () => {
		const silent = createServer(() => {});
		servers.push(silent);
		await new Promise<void>((resolve) =>
			silent.listen(0, "127.0.0.1", resolve),
		);
		const { port } = silent.address() as AddressInfo;
		const controller = new AbortController();
		const asked = embeddedBalancer(entry(port)).backends(controller.signal);
		const reason = new Error("Ctrl-C");
		controller.abort(reason);
		await expect(asked).rejects.toBe(reason);
	});

	it("has every node of the inventory behind it", () => {
		const inventory = {
			id: "c1",
			name: "demo",
			balancer: entry(7001),
			nodes: [
				{
					id: "n1",
					role: "voter",
					client: "127.0.0.1:1",
					admin: "127.0.0.1:2",
				},
				{
					id: "n4",
					role: "learner",
					client: "127.0.0.1:3",
					admin: "127.0.0.1:4",
				},
			],
			tls: null,
		} as unknown as Inventory & { balancer: EmbeddedBalancerEntry };
		expect(embeddedConfig(inventory)).toMatchObject({
			version: 1,
			cluster: { id: "c1", name: "demo" },
			listen: "127.0.0.1:7000",
			admin: "127.0.0.1:7001",
			checkIntervalMs: 250,
			backends: [
				{ node: "n1", client: "127.0.0.1:1", admin: "127.0.0.1:2" },
				{ node: "n4", client: "127.0.0.1:3", admin: "127.0.0.1:4" },
			],
		});
	});
});
