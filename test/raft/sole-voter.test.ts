import { describe, expect, it } from "vitest";
import { TinyCluster } from "./cluster.js";

describe("a cluster of one", () => {
	it("leads at its first tick: there is nobody to wait for", () => {
		const cluster = new TinyCluster(1);
		cluster.node(1).tick(1);
		expect(cluster.node(1).role).toBe("leader");
		expect(cluster.node(1).commit).toBe(2);
	});

	it("counts its own vote and its own entries only once they are on disk (P1, P3)", () => {
		const cluster = new TinyCluster(1);
		const node = cluster.node(1);
		node.sync = false;
		node.tick(1);
		expect(node.role).toBe("candidate");
		node.syncNow(1);
		expect(node.role).toBe("leader");
		expect(node.commit).toBe(1);
		node.syncNow();
		expect(node.commit).toBe(2);
	});
});
