import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
	noSteering,
	renderFile,
	type Steering,
	steeringIn,
} from "../../../src/balancers/nginx/render.js";
import { lacks } from "../../e2e/front-cluster.js";
import { inventoryWith } from "../inventory.js";

function rendered(steering: Steering, keys: readonly string[] = []) {
	const inventory = inventoryWith([
		...["kind: nginx", "host: lb", 'listen: "*:8080"', ...keys],
	]);
	const entry = inventory.balancer;
	if (entry?.kind !== "nginx") throw new Error("it is no nginx");
	// nginx looks names up when it starts, and nobody here knows this one.
	const nodes = inventory.nodes.map((node) => ({
		...node,
		client: node.client.replace("node2.example.net", "10.0.0.2"),
	}));
	return renderFile({ ...inventory, nodes }, entry, steering);
}

const steered: Steering = { withdrawn: ["n2"], preferred: ["n1", "n2"] };

describe("nginx's file for a cluster", () => {
	it("is rendered byte by byte", async () => {
		await expect(rendered(noSteering)).toMatchFileSnapshot("plain.golden");
	});

	it("tells where nothing new is to go, and where first", async () => {
		await expect(rendered(steered)).toMatchFileSnapshot("steered.golden");
	});

	it("says itself how it is steered", () => {
		expect(steeringIn(rendered(steered))).toEqual(steered);
		expect(steeringIn(rendered(noSteering))).toEqual(noSteering);
		expect(steeringIn("server {}\n")).toBeNull();
	});

	it("keeps clients' connections only on demand", () => {
		expect(rendered(noSteering)).toContain("keepalive_timeout 0;");
		const kept = rendered(noSteering, ["keepAlive: true"]);
		expect(kept).not.toContain("keepalive_timeout");
	});

	it.skipIf(lacks("nginx")).each([
		["when nobody steers", noSteering],
		["when somebody does", steered],
		[
			"when those preferred are all gone",
			{ withdrawn: ["n1"], preferred: ["n1"] },
		],
		["when nobody is left", { withdrawn: ["n1", "n2", "n3"], preferred: [] }],
	])("is taken by nginx %s", (_, steering) => {
		const directory = mkdtempSync(join(tmpdir(), "raftctl-nginx-"));
		writeFileSync(join(directory, "raftctl.conf"), rendered(steering));
		const main = join(directory, "nginx.conf");
		writeFileSync(
			main,
			`pid ${directory}/pid;\nerror_log ${directory}/log;\nevents {}\nhttp { access_log off; include ${directory}/raftctl.conf; }\n`,
		);
		const { stderr, status } = spawnSync("/usr/sbin/nginx", [
			...["-t", "-q", "-c", main],
		]);
		rmSync(directory, { recursive: true });
		expect(`${stderr}`).toBe("");
		expect(status).toBe(0);
	});
});
