import { describe, expect, it } from "vitest";
import { Draining } from "../../src/daemon/draining.js";
import { leave } from "../../src/daemon/leave.js";
import { ScriptedReplica } from "../fakes/scripted-replica.js";

function leaving(role: "leader" | "follower" = "leader") {
	const story: string[] = [];
	const clients = {
		open: 3,
		requests: 1,
		connections: () => ({ total: clients.open }),
		inflight: () => clients.requests,
		beginClosing(overMs: number) {
			story.push(`close over ${overMs}`);
			if (clients.stubborn) return;
			clients.open = 0;
			clients.requests = 0;
		},
		stopClosing: () => story.push("stop closing"),
		stubborn: false,
	};
	const replica = new ScriptedReplica(role);
	const transfer = replica.onTransfer;
	replica.onTransfer = (target) => {
		story.push("hand over");
		return transfer(target);
	};
	const nowMs = () => performance.now();
	const draining = new Draining({
		nowMs,
		onChange: ({ phase }) => story.push(phase),
	});
	draining.attach({
		beginClosing: clients.beginClosing,
		stopClosing: clients.stopClosing,
	});
	const run = (limitMs = 5000) =>
		leave({
			draining,
			replica,
			clients,
			nowMs,
			settings: { announceMs: 20, closeOverMs: 70, limitMs },
		});
	return { story, clients, replica, draining, run };
}

describe("a node that leaves", () => {
	it("announces, hands leadership over, then moves its connections", async () => {
		const { story, run } = leaving();
		expect(await run()).toEqual({
			handover: "done",
			connectionsCut: 0,
			requestsCut: 0,
		});
		expect(story).toEqual(["stopping", "hand over", "close over 70"]);
	});

	it("hands nothing over when it does not lead, or when nobody could take it", async () => {
		const follower = leaving("follower");
		expect((await follower.run()).handover).toBe("not-leader");
		const alone = leaving();
		const { raft } = alone.replica;
		alone.replica.raft = {
			...raft,
			configuration: { ...raft.configuration, voters: ["n1"] },
		};
		expect((await alone.run()).handover).toBe("sole-voter");
		expect(alone.replica.transfers).toEqual([]);
	});

	it("goes on when leadership stays, and says why it stayed", async () => {
		const { story, replica, run } = leaving();
		replica.onTransfer = () => "target-lagging";
		expect((await run()).handover).toBe("target-lagging");
		expect(story).toContain("close over 70");
	});

	it("does not announce or pace again what an operator has drained before", async () => {
		const { story, draining, run } = leaving("follower");
		draining.renew({ leaseMs: 60_000, close: true, closeOverMs: 10 });
		await run();
		expect(story).toEqual(["close over 10", "closing", "stopping"]);
	});

	it("counts what it cuts when the limit is reached", async () => {
		const { clients, run } = leaving("follower");
		clients.stubborn = true;
		expect(await run(60)).toEqual({
			handover: "not-leader",
			connectionsCut: 3,
			requestsCut: 1,
		});
	});

	it("does not wait for a transfer that never ends", async () => {
		const { replica, story, run } = leaving();
		replica.transferLeadership = () => {};
		expect((await run(100)).handover).toBe("no answer within the limit");
		expect(story).toContain("close over 70");
	});
});
