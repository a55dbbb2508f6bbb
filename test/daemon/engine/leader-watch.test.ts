import { beforeEach, describe, expect, it } from "vitest";
import { LeaderWatch } from "../../../src/daemon/engine/leader-watch.js";
import { SendingClock } from "../../../src/daemon/engine/sending-clock.js";
import type { Message, Status } from "../../../src/raft/types.js";

/** The leader's clock is that much ahead. */
const apartMs = 5_000_000;
const link = { from: "n1", to: "n2", term: 3, session: 1 };

const heartbeat = (
	currentCommit: number,
	sentMs: number,
	confirmedMs = sentMs,
): Message => ({
	...{ ...link, type: "heartbeat", commit: 0, read: 0 },
	...{ stamp: sentMs + apartMs, currentCommit },
	currentStamp: confirmedMs + apartMs,
});
const append = (commit: number): Message => ({
	...{ ...link, type: "append-request", prevIndex: 0, prevTerm: 0 },
	...{ entries: [], commit },
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
	it("is that of the last heartbeat, as old as the leader's last proof that it led", () => {
		watch.heard(heartbeat(10, 120, 70), 120);
		expect(watch.leaderCommit(150)).toEqual({ index: 10, heardAgoMs: 80 });
	});

	it("is not known from an append, which an old leader may have sent", () => {
		watch.heard(append(10), 100);
		expect(watch.leaderCommit(100)).toBeNull();
	});

	it("is never below what an append has said, however old that is", () => {
		watch.heard(heartbeat(10, 100), 100);
		watch.heard(append(50), 110);
		expect(watch.leaderCommit(120)).toEqual({ index: 50, heardAgoMs: 20 });
	});

	it("is not known from a leader that no quorum has confirmed yet", () => {
		const mute = { ...heartbeat(0, 100), currentStamp: 0 } as Message;
		watch.heard(mute, 100);
		expect(watch.leaderCommit(100)).toBeNull();
		watch.heard(heartbeat(10, 150, 140), 150);
		watch.heard({ ...mute, stamp: 900 + apartMs } as Message, 900);
		expect(watch.leaderCommit(900)).toEqual({ index: 10, heardAgoMs: 760 });
	});

	it("is as old as what it heard, though that was read only now", () => {
		for (const sentMs of [100, 150, 200])
			watch.heard(heartbeat(10, sentMs), sentMs + 2);
		// Stood still from 200 to 5200; what waited in the socket is read at once.
		watch.heard(heartbeat(10, 250), 5200);
		watch.heard(heartbeat(10, 300), 5200);
		const { heardAgoMs } = watch.leaderCommit(5200) ?? { heardAgoMs: 0 };
		expect(heardAgoMs).toBeGreaterThanOrEqual(4890);
		expect(heardAgoMs).toBeLessThanOrEqual(4900);
	});

	it("goes on with the next leader, whose clock is another", () => {
		watch.heard(heartbeat(10, 100), 100);
		follow("n3", 200);
		watch.heard(heartbeat(99, 210), 210);
		const other = { from: "n3", stamp: 17, currentStamp: 12 };
		watch.heard({ ...heartbeat(12, 0), ...other } as Message, 300);
		expect(watch.leaderCommit(310)).toEqual({ index: 12, heardAgoMs: 15 });
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
