import { describe, expect, it } from "vitest";
import type {
	ChangeOutcome,
	ChangeRefusalReason,
} from "../../src/raft/types.js";
import {
	around,
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
	type TinyNode,
} from "./cluster.js";

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

	it("gets no vote either, from those who know: they may lack what it has lost (P31)", () => {
		const cluster = new TinyCluster(3);
		cluster.node(3).raft.distrust(new Set(["n1"]));
		for (let beat = 0; beat < 15; beat++) {
			cluster.node(1).tick(heartbeatIntervalMs);
			cluster.settle(around("n2"));
		}
		expect(cluster.node(1).role).not.toBe("leader");
		for (let beat = 0; beat < 15; beat++) {
			cluster.node(1).tick(heartbeatIntervalMs);
			cluster.settle();
		}
		expect(cluster.node(1).role).toBe("leader");
	});
});

describe("a change of membership", () => {
	/** Four voters and a learner, led by n1, and all of them heard. */
	function settled(): { cluster: TinyCluster; leader: TinyNode } {
		const cluster = new TinyCluster(4, { learners: 1 });
		const leader = cluster.elect(1);
		cluster.pass(2 * heartbeatIntervalMs);
		return { cluster, leader };
	}

	const add = { type: "add", id: "n6", address } as const;
	const promote = { type: "promote", id: "n5" } as const;

	const refusals: Record<ChangeRefusalReason, () => ChangeOutcome | undefined> =
		{
			"not-leader": () => settled().cluster.node(2).change(1, [add]),
			transferring: () => {
				const { leader } = settled();
				leader.raft.transferLeadership("n2", 9);
				return leader.change(1, [add]);
			},
			"disk-stalled": () => {
				const { cluster, leader } = settled();
				leader.sync = false;
				leader.propose(1);
				cluster.pass(1900);
				// Beyond the limit at a tick that comes late, and so judges nobody yet (P68).
				leader.tick(600);
				return leader.change(1, [add]);
			},
			"term-not-committed": () => {
				const cluster = new TinyCluster(3);
				const leader = cluster.node(1);
				while (leader.role !== "leader") {
					leader.tick(heartbeatIntervalMs);
					cluster.settle(kind("append-request"));
				}
				return leader.change(1, [add]);
			},
			"change-in-flight": () => {
				const { leader } = settled();
				leader.change(2, [add]);
				return leader.change(1, [promote]);
			},
			"configuration-changed": () =>
				settled().leader.change(1, [add], { expectedIndex: 7 }),
			"nothing-to-change": () => settled().leader.change(1, []),
			"unknown-member": () =>
				settled().leader.change(1, [{ type: "remove", id: "n6" }]),
			"duplicate-member": () =>
				settled().leader.change(1, [{ ...add, id: "n5" }]),
			"not-a-learner": () =>
				settled().leader.change(1, [{ type: "promote", id: "n2" }]),
			"not-a-voter": () =>
				settled().leader.change(1, [{ type: "demote", id: "n5" }]),
			"other-incarnation": () => {
				const { cluster, leader } = settled();
				const update = (incarnation: string) => ({
					...{ type: "update" as const, id: "n2" },
					address: { ...address, incarnation },
				});
				leader.change(2, [update("first")]);
				cluster.settle();
				return leader.change(1, [update("second")]);
			},
			"no-voters": () =>
				settled().leader.change(
					1,
					["n1", "n2", "n3", "n4"].map((id) => ({ type: "demote", id })),
				),
			"target-unreachable": () => {
				const { cluster, leader } = settled();
				cluster.pass(electionTimeoutMs, around("n5"));
				return leader.change(1, [promote]);
			},
			"target-lagging": () => {
				const { cluster, leader } = settled();
				leader.propose(1);
				cluster.drop(kind("append-request", "n1", "n5"));
				cluster.pass(
					electionTimeoutMs + 2 * heartbeatIntervalMs,
					kind("append-response", "n5"),
				);
				return leader.change(1, [promote]);
			},
			"quorum-at-risk": () => {
				const { cluster, leader } = settled();
				cluster.pass(electionTimeoutMs, around("n4"));
				return leader.change(1, [
					{ type: "remove", id: "n2" },
					{ type: "remove", id: "n3" },
				]);
			},
		};

	it.each(Object.entries(refusals))("is refused: %s", (reason, attempt) => {
		expect(attempt()).toMatchObject({
			...{ token: 1, outcome: "refused", index: 0 },
			refusal: { reason },
		});
	});

	it("tells of a lagging learner how far it is (P26)", () => {
		const ended = refusals["target-lagging"]();
		expect(ended?.refusal).toMatchObject({
			node: "n5",
			catchUp: { lagEntries: 1, caughtUp: false },
		});
	});

	it("promotes a learner while writes go on, as long as each reaches it in time (P26)", () => {
		const { cluster, leader } = settled();
		for (let token = 10; token < 30; token++) {
			leader.propose(token);
			cluster.pass(heartbeatIntervalMs);
		}
		leader.propose(30);
		leader.change(1, [promote]);
		cluster.settle();
		expect(leader.changes).toMatchObject([{ token: 1, outcome: "done" }]);
	});

	it("skips each check only by its own name (P28)", () => {
		const { cluster, leader } = settled();
		cluster.pass(electionTimeoutMs, around("n4", "n5"));
		const attempts = [
			[[], "target-unreachable"],
			[["quorum"], "target-unreachable"],
			[["catch-up"], "quorum-at-risk"],
			[["catch-up", "quorum"], undefined],
		] as const;
		for (const [at, [waived, reason]] of attempts.entries()) {
			const list = [promote, { type: "remove", id: "n2" }] as const;
			const ended = leader.change(at + 1, list, { waived });
			expect(ended?.refusal?.reason).toBe(reason);
		}
		expect(leader.raft.status().configuration).toMatchObject({
			voters: ["n1", "n3", "n4", "n5"],
			outgoing: ["n1", "n2", "n3", "n4"],
		});
	});
});
