import { describe, expect, it } from "vitest";
import {
	SessionSlots,
	sessionsPerConnection,
} from "../../../src/hosts/ssh/session-slots.js";

const never = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function full(slots: SessionSlots) {
	const gives: (() => void)[] = [];
	for (let taken = 0; taken < sessionsPerConnection; taken += 1)
		gives.push(await slots.take(never));
	return gives;
}

describe("places for commands", () => {
	it("are eight, and given on in the order of asking", async () => {
		const slots = new SessionSlots();
		const gives = await full(slots);
		const order: number[] = [];
		for (const number of [1, 2])
			void slots.take(never).then(() => order.push(number));
		await turn();
		expect(order).toEqual([]);
		gives[0]?.();
		await turn();
		// Given back twice is given back once.
		gives[0]?.();
		await turn();
		expect(order).toEqual([1]);
		gives[1]?.();
		await turn();
		expect(order).toEqual([1, 2]);
	});

	it("are not waited for any longer than the caller wants", async () => {
		const slots = new SessionSlots();
		const gives = await full(slots);
		const controller = new AbortController();
		const waiting = slots.take(controller.signal);
		controller.abort(new Error("no longer"));
		await expect(waiting).rejects.toThrow("no longer");
		// The place goes to the next one, not to who left.
		const next = slots.take(never);
		gives[0]?.();
		await next;
	});

	it("become one less than the server holds, for ending what hangs, but never none", async () => {
		const slots = new SessionSlots();
		const gives = [await slots.take(never), await slots.take(never)];
		const third = await slots.take(never);
		expect(slots.lower()).toBe(true);
		third();
		let taken = false;
		void slots.take(never).then(() => {
			taken = true;
		});
		await turn();
		expect(taken).toBe(false);
		gives[0]?.();
		await turn();
		expect(taken).toBe(false);
		gives[1]?.();
		await turn();
		expect(taken).toBe(true);
		const alone = new SessionSlots();
		await alone.take(never);
		expect(alone.lower()).toBe(false);
	});
});
