import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Inventory } from "../../../src/config/inventory.js";
import { parseInventory } from "../../../src/config/load.js";
import { OperatorError } from "../../../src/errors.js";
import { localHost } from "../../../src/hosts/local.js";
import { systemClock } from "../../../src/operations/clock.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { checkHosts } from "../../../src/operations/host-checks/check-hosts.js";
import { operating } from "../operating.js";

const directory = mkdtempSync(join(tmpdir(), "raftctl-hosts-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Three hosts that are this machine under three of its addresses; the fourth is off. */
function inventory(portBase: number, more = ""): Inventory {
	const text = `name: orders
id: c1
portBase: ${portBase}
hosts: { h1: 10.0.0.1, h2: 10.0.0.2, h3: 10.0.0.3, h4: 10.0.0.4 }
deploy: { state: ${directory}/state, directory: ${directory}/releases }
nodes:
  - { id: n1, host: h1 }
  - { id: n2, host: h2 }
  - { id: n3, host: h3 }
${more}`;
	const source = "cluster.yaml";
	const read = parseInventory(text, { source, directory });
	const here = (address: string) => address.replace("10.0.0.", "127.0.0.");
	return {
		...read,
		nodes: read.nodes.map((node) => ({
			...{ ...node, peer: here(node.peer), client: here(node.client) },
			admin: here(node.admin),
			agent: node.agent === null ? null : here(node.agent),
		})),
	};
}

function contextOf(
	read: Inventory,
	dead: readonly string[] = [],
): OperationContext {
	const { context } = operating();
	const local = localHost();
	return {
		...{ ...context, inventory: read, clock: systemClock },
		signal: new AbortController().signal,
		machines: {
			...context.machines,
			service: () => Promise.reject(new Error("nothing is started")),
			async host(name) {
				if (dead.includes(name))
					throw new OperatorError("unreachable", `${name} is off`, {
						...{ node: name, next: "turn it on" },
					});
				return { ...local, name };
			},
		},
	};
}

/** Whether a release of Node.js fits is for machines in general; what else this one may lack is not the matter here. */
const ours = ["ssh", "clock", "port", "network", "certificates"];

describe("doctor on hosts", () => {
	it("finds nothing on machines that reach each other, and leaves nothing there", async () => {
		const { findings, hosts } = await checkHosts(contextOf(inventory(18_400)));
		expect(
			findings
				.filter(({ check }) => ours.includes(check))
				// How busy this machine is, is not the matter.
				.filter(({ what }) => !what.startsWith("a step takes")),
		).toEqual([]);
		expect(hosts.map(({ host, nodes }) => [host, nodes])).toEqual([
			["h1", ["n1"]],
			["h2", ["n2"]],
			["h3", ["n3"]],
		]);
		for (const { syncMs, aheadMs } of hosts) {
			expect(syncMs).toBeGreaterThan(0);
			expect(aheadMs).toEqual(expect.any(Number));
		}
		expect(readdirSync(directory)).toEqual([]);
	});

	it("names at once a host that is off, a port that is taken and certificates that are not there", async () => {
		const read = inventory(
			18_500,
			`  - { id: n4, host: h4 }
tls: { directory: ${directory}/certs }
`,
		);
		const server = createServer();
		const port = Number(read.nodes[1]?.client.split(":").at(-1));
		await new Promise<void>((done) =>
			server.listen(port, "127.0.0.2", () => done()),
		);
		const { findings, healthy, hosts } = await checkHosts(
			contextOf(read, ["h4"]),
		);
		server.close();
		expect(
			findings
				.filter(({ check }) => ours.includes(check))
				.filter(({ what }) => !what.startsWith("a step takes"))
				.map(({ severity, host, check }) => [severity, host, check]),
		).toEqual([
			["problem", "h4", "ssh"],
			["problem", "h2", "port"],
			["problem", null, "certificates"],
		]);
		for (const { remedy } of findings) expect(remedy).toMatch(/\S/);
		expect(healthy).toBe(false);
		expect(hosts.map(({ reachable }) => reachable)).toEqual([
			...[true, true, true, false],
		]);
	});
});
