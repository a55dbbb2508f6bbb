import { describe, expect, it } from "vitest";
import {
	electionTimeoutMs,
	heartbeatIntervalMs,
	TinyCluster,
} from "./cluster.js";

describe("a leader that was away", () => {
	it("still leads when it comes back: the others' answers may be waiting to be read (P68)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.tick(electionTimeoutMs * 1.2);
		expect(leader.role).toBe("leader");
		cluster.settle();
		leader.tick(heartbeatIntervalMs);
		expect(leader.role).toBe("leader");
	});

	it("does not excuse itself again and again when nobody answers (P35)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		for (let turn = 0; turn < 10; turn++) {
			leader.tick(electionTimeoutMs * 0.6);
			leader.tick(heartbeatIntervalMs);
			cluster.drop();
		}
		expect(leader.role).not.toBe("leader");
	});
});
