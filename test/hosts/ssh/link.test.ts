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

describe("the connection to a host", () => {
	let made: FakeConnection[];
	let fails: boolean;
	let attempts: number;
	let link: Link;

	beforeEach(() => {
		vi.useFakeTimers({ toFake: ["performance"] });
		[made, fails, attempts] = [[], false, 0];
		link = new Link("h1", async () => {
			attempts += 1;
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
		vi.advanceTimersByTime(5_001);
		await link.connection();
		expect(attempts).toBe(2);
	});

	it("is closed with it", async () => {
		await link.connection();
		await link.close();
		expect(made[0]?.isClosed).toBe(true);
	});
});
