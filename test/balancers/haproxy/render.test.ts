import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderSection } from "../../../src/balancers/haproxy/render.js";
import { lacks } from "../../e2e/front-cluster.js";
import { inventoryWith } from "../inventory.js";

function rendered(balancer: readonly string[], rest: readonly string[] = []) {
	const inventory = inventoryWith(balancer, rest);
	const entry = inventory.balancer;
	if (entry?.kind !== "haproxy") throw new Error("it is no HAProxy");
	return renderSection(inventory, entry);
}

const plain = () => rendered(["kind: haproxy", "host: lb", 'listen: "*:8080"']);
const withTls = () =>
	rendered(
		[
			"kind: haproxy",
			"hosts: [lb, lb2]",
			"listen: 10.0.0.100:443",
			"checkInterval: 250ms",
			"fall: 3",
			"rise: 2",
		],
		["tls: {}"],
	);

/** HAProxy looks names up when it starts, and nobody here knows this one. */
function resolved(text: string): string {
	return text.replaceAll("node2.example.net", "10.0.0.2");
}

describe("HAProxy's part for a cluster", () => {
	it("is rendered byte by byte", async () => {
		await expect(plain()).toMatchFileSnapshot("plain.golden");
	});

	it("passes TLS on to the nodes", async () => {
		await expect(withTls()).toMatchFileSnapshot("tls.golden");
	});

	it.skipIf(lacks("haproxy")).each([
		["without TLS", plain],
		["with it", withTls],
	])("is taken by HAProxy without a warning, %s", (_, render) => {
		const directory = mkdtempSync(join(tmpdir(), "raftctl-haproxy-"));
		const path = join(directory, "haproxy.cfg");
		writeFileSync(
			path,
			`global\n    log /dev/log local0\n\n${resolved(render())}`,
		);
		const { stderr, status } = spawnSync("/usr/sbin/haproxy", [
			...["-c", "-dW", "-f", path],
		]);
		rmSync(directory, { recursive: true });
		expect(`${stderr}`).not.toMatch(/WARNING|ALERT/);
		expect(status).toBe(0);
	});
});
