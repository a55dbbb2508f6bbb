import { describe, expect, it } from "vitest";
import { WaitBound } from "../../../src/daemon/engine/wait-bound.js";

const limits = { maxQueueWaitMs: 50, minPendingCommands: 10 };

/** A server that does `perMs` commands each millisecond, after a millisecond at least, in the order they came. */
class Server {
	readonly bound = new WaitBound(limits);
	readonly waits: number[] = [];
	nowMs = 0;
	refused = 0;
	accepted = 0;
	done = 0;
	#queue: number[] = [];
	#credit = 0;

	get longestMs(): number {
		return this.waits.reduce((most, each) => Math.max(most, each), 0);
	}

	get pending(): number {
		return this.#queue.length;
	}

	run(forMs: number, load: { arrive: number; done: number }): void {
		let arriving = 0;
		for (const endMs = this.nowMs + forMs; this.nowMs < endMs; ) {
			this.nowMs++;
			this.#serve(load.done);
			for (arriving += load.arrive; arriving >= 1; arriving--) this.arrive();
		}
	}

	arrive(): void {
		if (this.#queue.length >= this.bound.maxPending(this.nowMs)) {
			this.refused++;
			this.bound.refused(this.nowMs, 0.5);
			return;
		}
		this.accepted++;
		this.#queue.push(this.nowMs);
	}

	#serve(perMs: number): void {
		this.#credit = this.#queue.length === 0 ? perMs : this.#credit + perMs;
		while (this.#credit >= 1 && (this.#queue[0] ?? this.nowMs) < this.nowMs) {
			const waitedMs = this.nowMs - (this.#queue.shift() as number);
			this.#credit--;
			this.done++;
			this.waits.push(waitedMs);
			this.bound.done(waitedMs, this.nowMs);
		}
	}
}

describe("the bound of waiting", () => {
	it("does not touch a server that keeps up, at whatever number of requests", () => {
		const server = new Server();
		server.run(5000, { arrive: 19, done: 20 });
		expect(server.refused).toBe(0);
		expect(server.bound.maxPending(server.nowMs)).toBe(
			Number.POSITIVE_INFINITY,
		);
	});

	it("keeps the wait of what is accepted at three times the capacity, and all of the throughput", () => {
		const server = new Server();
		server.run(1000, { arrive: 10, done: 20 });
		server.run(1000, { arrive: 60, done: 20 });
		server.waits.length = 0;
		server.done = 0;
		server.run(10_000, { arrive: 60, done: 20 });
		expect(server.longestMs).toBeLessThan(1.5 * limits.maxQueueWaitMs);
		expect(server.done).toBeGreaterThan(0.99 * 20 * 10_000);
		expect(server.refused).toBeGreaterThan(server.done);
	});

	it("follows a server that becomes slower, and one that becomes faster", () => {
		const server = new Server();
		server.run(2000, { arrive: 60, done: 20 });
		server.run(2000, { arrive: 60, done: 5 });
		server.waits.length = 0;
		server.run(1000, { arrive: 60, done: 5 });
		expect(server.longestMs).toBeLessThan(1.5 * limits.maxQueueWaitMs);
		server.run(3000, { arrive: 60, done: 40 });
		server.done = 0;
		server.run(1000, { arrive: 60, done: 40 });
		expect(server.done).toBeGreaterThan(0.99 * 40 * 1000);
	});

	it("takes a burst, since that drains", () => {
		const server = new Server();
		server.run(1000, { arrive: 2, done: 20 });
		for (let i = 0; i < 1500; i++) server.arrive();
		server.run(500, { arrive: 2, done: 20 });
		expect(server.refused).toBe(0);
	});

	it("learns nothing from a pause in which nothing is done", () => {
		const server = new Server();
		server.run(1000, { arrive: 10, done: 20 });
		server.run(2000, { arrive: 0.05, done: 0 });
		expect(server.bound.maxPending(server.nowMs)).toBe(
			Number.POSITIVE_INFINITY,
		);
		expect(server.refused).toBe(0);
	});

	it("never refuses so few that a slow disk alone would explain their wait", () => {
		const server = new Server();
		server.run(10_000, { arrive: 60, done: 0.01 });
		expect(server.pending).toBeGreaterThanOrEqual(limits.minPendingCommands);
	});

	it("is gone some time after the load", () => {
		const server = new Server();
		server.run(2000, { arrive: 60, done: 20 });
		expect(server.bound.maxPending(server.nowMs)).toBeLessThan(2000);
		server.run(3000, { arrive: 5, done: 20 });
		expect(server.bound.maxPending(server.nowMs)).toBe(
			Number.POSITIVE_INFINITY,
		);
	});

	it("tells those it sends away to come back the later the more they are, and not together", () => {
		const server = new Server();
		server.run(2000, { arrive: 60, done: 20 });
		const { bound, nowMs } = server;
		const early = bound.refused(nowMs, 0);
		const late = bound.refused(nowMs, 0.999);
		expect(late).toBeGreaterThan(2.5 * early);
		// Three times as many come as are done: those sent away must come back over three times the wait.
		expect((early + late) / 2).toBeGreaterThan(2 * limits.maxQueueWaitMs);
		server.run(2000, { arrive: 600, done: 20 });
		expect(bound.refused(server.nowMs, 0.5)).toBeGreaterThan(5 * late);
	});
});
