import { describe, expect, it } from "vitest";
import { heartbeatIntervalMs, TinyCluster, type TinyNode } from "./cluster.js";

const address = { peer: "p", client: "c", admin: "a" };

function progressOf(leader: TinyNode, id: string) {
	return leader.raft.status().followers.find((one) => one.id === id);
}

describe("a member that comes back under its old name", () => {
	it("is followed anew: what the leader knew of it before its removal is forgotten (P31, P52)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.settle();
		cluster.pass(heartbeatIntervalMs);
		leader.change(1, [{ type: "remove", id: "n3" }]);
		cluster.settle((message) => message.to === "n3");
		expect(leader.changes).toMatchObject([{ token: 1, outcome: "done" }]);
		leader.change(2, [{ type: "add", id: "n3", address }]);
		expect(progressOf(leader, "n3")).toMatchObject({
			state: "probe",
			match: 0,
		});
	});

	it("cannot be removed and added in one change: its old vote would still count with a new disk (P31)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.settle();
		const ended = leader.change(1, [
			{ type: "remove", id: "n3" },
			{ type: "add", id: "n3", address },
		]);
		expect(ended?.refusal).toMatchObject({
			reason: "duplicate-member",
			node: "n3",
		});
	});
});

describe("a member whose log went back, as the cluster knows", () => {
	it("does not campaign, not even when it is asked to (P31)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.settle();
		const outcast = cluster.node(2);
		outcast.raft.distrust(new Set(["n2"]));
		leader.raft.transferLeadership("n2", 1);
		leader.run();
		cluster.settle();
		expect(outcast.role).toBe("follower");
		for (let beat = 0; beat < 60; beat++) {
			outcast.tick(heartbeatIntervalMs);
			expect(outcast.role).toBe("follower");
		}
	});
});
