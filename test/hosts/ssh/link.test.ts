import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Connection } from "../../../src/hosts/ssh/connection.js";
import { Link } from "../../../src/hosts/ssh/link.js";

/** As much of a connection as a link looks at. */
class FakeConnection {
	readonly controller = new AbortController();
	readonly lost = this.controller.signal;
	isClosed = false;
	close(): void {
		this.isClosed = true;
	}
}

/** What was begun in the background comes to its end. */
function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

describe("the connection to a host", () => {
	let made: FakeConnection[];
	let fails: boolean;
	let attempts: number;
	/** Set where an attempt is to take its time: it ends when that is called. */
	let held: (() => void) | null;
	let isHolding: boolean;
	let link: Link;

	beforeEach(() => {
		vi.useFakeTimers({ toFake: ["performance"] });
		[made, fails, attempts, held, isHolding] = [[], false, 0, null, false];
		link = new Link("h1", async () => {
			attempts += 1;
			if (isHolding)
				await new Promise<void>((end) => {
					held = end;
				});
			if (fails) throw new Error("dead");
			const connection = new FakeConnection();
			made.push(connection);
			return connection as unknown as Connection;
		});
	});
	afterEach(() => void vi.useRealTimers());

	it("is one, however many ask for it at once", async () => {
		const all = await Promise.all([1, 2, 3].map(() => link.connection()));
		expect(new Set(all).size).toBe(1);
		expect(attempts).toBe(1);
	});

	it("is made again, once, when it is lost", async () => {
		await link.connection();
		made[0]?.controller.abort();
		const all = await Promise.all([1, 2, 3].map(() => link.connection()));
		expect(new Set(all)).toEqual(new Set([made[1]]));
		expect(attempts).toBe(2);
	});

	it("that could not be made is not tried again at once, but after a while", async () => {
		fails = true;
		for (let asked = 0; asked < 3; asked += 1)
			await expect(link.connection()).rejects.toThrow("dead");
		expect(attempts).toBe(1);
		fails = false;
		vi.advanceTimersByTime(30_001);
		await link.connection();
		expect(attempts).toBe(2);
	});

	it("to a dead host is waited for once, however often an operation asks for it", async () => {
		fails = true;
		await expect(link.connection()).rejects.toThrow("dead");
		isHolding = true;
		for (let asked = 0; asked < 20; asked += 1) {
			vi.advanceTimersByTime(6_000);
			// Would never end if it waited for the attempt.
			await expect(link.connection()).rejects.toThrow("dead");
			held?.();
			await turn();
		}
		expect(attempts).toBeGreaterThan(10);
	});

	it("to a host that is back is found beside the failure, and waited for where that is old", async () => {
		fails = true;
		await expect(link.connection()).rejects.toThrow("dead");
		fails = false;
		vi.advanceTimersByTime(6_000);
		await expect(link.connection()).rejects.toThrow("dead");
		await turn();
		await link.connection();
		expect(attempts).toBe(2);
		fails = true;
		made[0]?.controller.abort();
		await expect(link.connection()).rejects.toThrow("dead");
		[fails, isHolding] = [false, true];
		vi.advanceTimersByTime(30_001);
		const asked = [link.connection(), link.connection()];
		await turn();
		held?.();
		expect(new Set(await Promise.all(asked)).size).toBe(1);
		expect(attempts).toBe(4);
	});

	it("is closed with it, also where that was just being made again", async () => {
		fails = true;
		await expect(link.connection()).rejects.toThrow("dead");
		[fails, isHolding] = [false, true];
		vi.advanceTimersByTime(6_000);
		await expect(link.connection()).rejects.toThrow("dead");
		const closing = link.close();
		held?.();
		await closing;
		expect(made[0]?.isClosed).toBe(true);
	});

	it("is closed with it", async () => {
		await link.connection();
		await link.close();
		expect(made[0]?.isClosed).toBe(true);
	});
});
