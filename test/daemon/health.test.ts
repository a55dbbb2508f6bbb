import { describe, expect, it } from "vitest";
import { Draining } from "../../src/daemon/draining.js";
import { healthLimits } from "../../src/daemon/health.js";
import { HealthMonitor } from "../../src/daemon/health-monitor.js";
import { ScriptedReplica } from "../fakes/scripted-replica.js";

function watched() {
	const clock = { nowMs: 1000 };
	const replica = new ScriptedReplica("follower");
	const nowMs = () => clock.nowMs;
	const draining = new Draining({ nowMs, onChange: () => {} });
	const world = { started: true, stallMs: 0 };
	const health = new HealthMonitor({
		replica,
		limits: healthLimits({ electionTimeoutMs: 1000, diskStallMs: 2000 }),
		nowMs,
		started: () => world.started,
		drain: () => draining.view(),
		eventLoop: () => ({
			recentStallMs: world.stallMs,
			longestStallMs: world.stallMs,
		}),
	});
	const failing = (checks: { name: string; ok: boolean }[]) =>
		checks.filter((check) => !check.ok).map((check) => check.name);
	return {
		clock,
		replica,
		draining,
		health,
		world,
		notReady: () => failing(health.ready()),
		notLive: () => failing(health.live()),
	};
}

describe("readiness", () => {
	it("holds for a follower that hears its leader and has applied what it heard", () => {
		const { notReady, health } = watched();
		expect(notReady()).toEqual([]);
		expect(health.state()).toBe("ready");
	});

	it("waits for the client port", () => {
		const { notReady, world } = watched();
		world.started = false;
		expect(notReady()).toEqual(["started"]);
	});

	it("needs a leader to have been known at all", () => {
		const { notReady, replica } = watched();
		replica.raft = { ...replica.raft, leader: null };
		replica.heard = null;
		expect(notReady()).toEqual(["leader-known", "caught-up"]);
	});

	it("survives one election, so that not every node leaves the balancer at once", () => {
		const { notReady, replica, clock } = watched();
		notReady();
		replica.raft = { ...replica.raft, leader: null };
		clock.nowMs += 1000;
		expect(notReady()).toEqual([]);
		clock.nowMs += 1;
		expect(notReady()).toEqual(["leader-known"]);
	});

	it("ends without a link to the leader, though it is heard: what is forwarded goes nowhere", () => {
		const { notReady, health, replica, clock } = watched();
		expect(notReady()).toEqual([]);
		const { leader } = replica.raft;
		replica.connectedPeers = ["n2", "n3"].filter((id) => id !== leader);
		clock.nowMs += 1000;
		expect(notReady()).toEqual([]);
		clock.nowMs += 1;
		expect(notReady()).toEqual(["leader-known"]);
		const check = health.ready().find(({ name }) => name === "leader-known");
		expect(check?.reason).toBe(`no link to the leader ${leader} for 1001 ms`);
		replica.raft = { ...replica.raft, role: "leader", leader: "n1" };
		expect(notReady()).toEqual([]);
	});

	it("ends for a follower that hears nothing, though nothing seems to be missing", () => {
		const { notReady, health, replica, clock } = watched();
		notReady();
		replica.heard = { index: 10, heardAgoMs: 2500 };
		clock.nowMs += 2500;
		expect(notReady()).toEqual(["caught-up"]);
		expect(health.state()).toBe("unready");
	});

	it("comes only when what the leader had committed is applied, and says how much is missing", () => {
		const { notReady, health, replica, clock } = watched();
		replica.heard = { index: 500, heardAgoMs: 10 };
		expect(notReady()).toEqual(["caught-up"]);
		const check = health.ready().find(({ name }) => name === "caught-up");
		expect(check?.reason).toContain("applied 10 of 500, 490 behind");
		replica.applied = 500;
		clock.nowMs += 50;
		expect(notReady()).toEqual([]);
	});

	it("tells draining from unready, as a draining node still serves what it has", () => {
		const { health, draining, replica, clock } = watched();
		health.ready();
		draining.renew({ leaseMs: 60_000, close: false, closeOverMs: 0 });
		expect(health.state()).toBe("draining");
		replica.raft = { ...replica.raft, leader: null };
		clock.nowMs += 5000;
		expect(health.state()).toBe("draining");
		replica.failure = "entry 17 cannot be read";
		expect(health.state()).toBe("unready");
	});

	it("is told to listeners when it changes, once", () => {
		const { health, draining } = watched();
		const told: string[] = [];
		const stop = health.onChange((state) => told.push(state));
		health.sample();
		health.sample();
		draining.renew({ leaseMs: 1000, close: false, closeOverMs: 0 });
		health.sample();
		draining.end();
		health.sample();
		stop();
		draining.stop();
		health.sample();
		expect(told).toEqual(["ready", "draining", "ready"]);
	});
});

describe("a node that waits to be added", () => {
	const sentence = "n1 knows n2 as incarnation a, not b";
	const waiting = () => {
		const { replica, health } = watched();
		replica.raft = {
			...{ ...replica.raft, id: "n2", configurationIndex: 0 },
			configuration: { voters: [], outgoing: [], learners: [], addresses: {} },
		};
		const member = () =>
			health.ready().find(({ name }) => name === "member")?.reason;
		return { replica, member };
	};

	it("says so, and nothing else, as long as nothing is in the way", () => {
		expect(waiting().member()).toBe(
			"the node waits to be added to the cluster",
		);
	});

	it("says that it must be removed first where the cluster knows it with another disk (P31)", () => {
		const { replica, member } = waiting();
		replica.linkTroubles = [
			{ kind: "refused", peer: "n3", cause: "level", sentence: "too old" },
			{ kind: "refused", peer: "n1", cause: "incarnation", sentence },
		];
		expect(member()).toContain("must be removed before it is added anew");
		expect(member()).toContain("raftctl reset-node n2");
		expect(member()).toContain(sentence);
	});

	it("names who dials it in vain, and what to write down", () => {
		const { replica, member } = waiting();
		replica.linkTroubles = [{ kind: "unknown-address", peer: "n4" }];
		expect(member()).toContain("add n4 with its addresses to members");
	});
});

it("a node without a leader that the others do not let in says why", () => {
	const { replica, health } = watched();
	replica.raft = { ...replica.raft, leader: null };
	replica.linkTroubles = [
		{ kind: "refused", peer: "n3", cause: "cluster", sentence: "no" },
	];
	const reason = health.ready().find((one) => one.name === "leader-known");
	expect(reason?.reason).toBe(
		"no leader has been known since the start; n3 refuses this node: no",
	);
});

describe("a stalled disk", () => {
	it("ends readiness after diskStallMs, with the leadership, and liveness only much later", () => {
		const { notLive, notReady, health, replica, draining } = watched();
		replica.diskPendingMs = 2000;
		expect(notReady()).toEqual([]);
		replica.diskPendingMs = 2001;
		expect(notReady()).toEqual(["healthy"]);
		expect(health.state()).toBe("unready");
		expect(notLive()).toEqual([]);
		draining.renew({ leaseMs: 60_000, close: false, closeOverMs: 0 });
		expect(health.state()).toBe("unready");
	});
});

describe("liveness", () => {
	it("does not depend on the other nodes", () => {
		const { notLive, notReady, replica } = watched();
		replica.raft = { ...replica.raft, leader: null };
		replica.heard = null;
		expect(notReady()).not.toEqual([]);
		expect(notLive()).toEqual([]);
	});

	it("ends with a disk that does not answer, a failed node, or a loop that stands still", () => {
		const { notLive, replica, world } = watched();
		replica.diskPendingMs = 29_000;
		expect(notLive()).toEqual([]);
		replica.diskPendingMs = 31_000;
		replica.failure = "apply failed";
		world.stallMs = 6000;
		expect(notLive()).toEqual(["event-loop", "disk", "not-failed"]);
	});
});
