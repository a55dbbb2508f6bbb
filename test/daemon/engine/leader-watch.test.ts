import { beforeEach, describe, expect, it } from "vitest";
import { LeaderWatch } from "../../../src/daemon/engine/leader-watch.js";
import { SendingClock } from "../../../src/daemon/engine/sending-clock.js";
import type { Message, Status } from "../../../src/raft/types.js";

/** The leader's clock is that much ahead. */
const apartMs = 5_000_000;
const link = { from: "n1", to: "n2", term: 3, session: 1 };

const heartbeat = (commit: number, sentMs: number): Message => ({
	...{ ...link, type: "heartbeat", commit, read: 0 },
	stamp: sentMs + apartMs,
});
const append = (commit: number): Message => ({
	...{ ...link, type: "append-request", prevIndex: 0, prevTerm: 0 },
	...{ entries: [], commit },
});
const offer = (index: number): Message => ({
	...{ ...link, type: "snapshot-offer", snapshotIndex: index },
	snapshotTerm: 2,
});

let watch: LeaderWatch;
beforeEach(() => {
	watch = new LeaderWatch();
	follow("n1", 0);
});

function follow(leader: string | null, nowMs: number): void {
	const status = {
		...{ id: "n2", leader, role: "follower", transferTarget: null },
		term: 3,
	};
	watch.observe(status as unknown as Status, nowMs);
}

describe("what a follower knows of its leader's commit index", () => {
	it("is that of the last heartbeat, as old as the heartbeat", () => {
		watch.heard(append(10), 100);
		expect(watch.leaderCommit(100)).toBeNull();
		watch.heard(heartbeat(10, 120), 120);
		expect(watch.leaderCommit(150)).toEqual({ index: 10, heardAgoMs: 30 });
	});

	it("is as old as what it heard, though that was read only now", () => {
		watch.heard(append(10), 100);
		for (const sentMs of [100, 150, 200])
			watch.heard(heartbeat(10, sentMs), sentMs + 2);
		// Stood still from 200 to 5200; what waited in the socket is read at once.
		watch.heard(heartbeat(10, 250), 5200);
		watch.heard(heartbeat(10, 300), 5200);
		const { heardAgoMs } = watch.leaderCommit(5200) ?? { heardAgoMs: 0 };
		expect(heardAgoMs).toBeGreaterThanOrEqual(4890);
		expect(heardAgoMs).toBeLessThanOrEqual(4900);
	});

	it("is not taken from heartbeats alone, which say no more than what the node has", () => {
		watch.heard(heartbeat(10, 100), 100);
		expect(watch.leaderCommit(100)).toBeNull();
		watch.heard(offer(500), 110);
		watch.heard(heartbeat(10, 120), 120);
		expect(watch.leaderCommit(120)).toBeNull();
		watch.heard(append(600), 130);
		watch.heard(heartbeat(600, 140), 140);
		expect(watch.leaderCommit(140)).toEqual({ index: 600, heardAgoMs: 0 });
	});

	it("counts the leader's first word, which comes before it is known as the leader", () => {
		follow(null, 0);
		watch.heard(append(10), 100);
		follow("n1", 100);
		watch.heard(heartbeat(10, 150), 150);
		expect(watch.leaderCommit(150)).toEqual({ index: 10, heardAgoMs: 0 });
		// Of an earlier term it says nothing of this one.
		follow(null, 200);
		watch.heard({ ...append(11), term: 2 } as Message, 210);
		follow("n1", 220);
		watch.heard(heartbeat(11, 400), 400);
		expect(watch.leaderCommit(400)).toEqual({ index: 10, heardAgoMs: 250 });
	});

	it("is no news after a broken link, until the leader has said more than a heartbeat", () => {
		watch.heard(append(10), 100);
		watch.heard(heartbeat(10, 100), 100);
		watch.broken("n3");
		watch.heard(heartbeat(10, 200), 200);
		watch.broken("n1");
		watch.heard(heartbeat(10, 900), 900);
		expect(watch.leaderCommit(900)).toEqual({ index: 10, heardAgoMs: 700 });
		watch.heard(append(50), 910);
		watch.heard(heartbeat(50, 920), 920);
		expect(watch.leaderCommit(920)).toEqual({ index: 50, heardAgoMs: 0 });
	});

	it("goes on with the next leader, whose clock is another", () => {
		watch.heard(append(10), 100);
		watch.heard(heartbeat(10, 100), 100);
		follow("n3", 200);
		const other = { ...link, from: "n3", commit: 12 };
		watch.heard(heartbeat(99, 210), 210);
		watch.heard({ ...append(12), ...other } as Message, 220);
		watch.heard({ ...heartbeat(12, 0), ...other, stamp: 17 } as Message, 300);
		expect(watch.leaderCommit(310)).toEqual({ index: 12, heardAgoMs: 10 });
	});

	it("is a leader's own only as of when it certainly led", () => {
		watch.leads(10, Number.NEGATIVE_INFINITY);
		expect(watch.leaderCommit(100)).toBeNull();
		watch.leads(10, 80);
		watch.leads(11, 80);
		expect(watch.leaderCommit(3000)).toEqual({ index: 11, heardAgoMs: 2920 });
	});
});

describe("the time at which a message was sent", () => {
	it("follows clocks that drift apart", () => {
		const clock = new SendingClock();
		let worstMs = 0;
		for (let atMs = 0; atMs < 3_600_000; atMs += 100) {
			// One second in ten thousand.
			const stamp = atMs * 1.0001;
			worstMs = Math.max(worstMs, Math.abs(clock.sentMs(stamp, atMs) - atMs));
		}
		for (let atMs = 3_600_000; atMs < 7_200_000; atMs += 100) {
			const stamp = 3_600_360 + (atMs - 3_600_000) * 0.9999;
			worstMs = Math.max(worstMs, Math.abs(clock.sentMs(stamp, atMs) - atMs));
		}
		expect(worstMs).toBeLessThan(10);
	});
});
