import fc from "fast-check";
import { describe, expect, it } from "vitest";
import machine from "./machine.js";
import type { Command, Query } from "./words.js";

type State = ReturnType<typeof machine.create>;

function apply(state: State, command: Command, index = 1) {
	const events: unknown[] = [];
	const result = machine.apply(state, Buffer.from(JSON.stringify(command)), {
		...{ index, level: 1 },
		emit: (event) => events.push(parse(event)),
	});
	return { result: parse(result), events };
}

function ask(state: State, query: Query): unknown {
	return parse(machine.query(state, Buffer.from(JSON.stringify(query))));
}

function parse(bytes: Uint8Array): unknown {
	return JSON.parse(Buffer.from(bytes).toString());
}

const key = fc.constantFrom("register-1", "register-2", "list-1", "counter-1");
const small = fc.nat(2);
const commands = fc.array(
	fc
		.record({
			key,
			value: small,
			expect: fc.option(small),
			swaps: fc.boolean(),
		})
		.map(({ key, value, expect, swaps }): Command => {
			const words = { id: "c", key };
			if (key.startsWith("list"))
				return { ...words, op: "append", element: value };
			if (key.startsWith("counter")) return { ...words, op: "increment" };
			return swaps
				? { ...words, op: "swap", expect, value }
				: { ...words, op: "write", value };
		}),
);

describe("the machine of the torture runs", () => {
	it("tells what each command did, and subscribers what changed", () => {
		const state = machine.create();
		const register = { id: "a", key: "register-1" };
		expect(apply(state, { ...register, op: "write", value: 4 })).toEqual({
			result: true,
			events: [{ ...register, value: 4 }],
		});
		const swap = { ...register, op: "swap", expect: 5, value: 6 } as const;
		expect(apply(state, swap)).toEqual({ result: false, events: [] });
		expect(apply(state, { ...swap, expect: 4 }).result).toBe(true);
		const list = { id: "b", key: "list-1", op: "append", element: 7 } as const;
		expect(apply(state, list).result).toBe(1);
		expect(apply(state, { ...list, element: 8 })).toEqual({
			result: 2,
			events: [{ id: "b", key: "list-1", value: 8 }],
		});
		const count = { id: "c", key: "counter-1", op: "increment" } as const;
		expect(apply(state, count).result).toBe(1);
		expect(ask(state, { op: "read", key: "register-1" })).toBe(6);
		expect(ask(state, { op: "read", key: "list-1" })).toEqual([7, 8]);
		expect(ask(state, { op: "read", key: "counter-1" })).toBe(1);
		expect(ask(state, { op: "read", key: "register-9" })).toBeNull();
	});

	it("is after a snapshot what it was, in its digest as well", () => {
		fc.assert(
			fc.property(commands, commands, (before, after) => {
				const state = machine.create();
				for (const command of before) apply(state, command);
				const frozen = machine.snapshot(state, 1);
				const results = after.map((command) => apply(state, command));
				const restored = machine.restore(frozen);
				expect(after.map((command) => apply(restored, command))).toEqual(
					results,
				);
				const digest = { op: "digest" } as const;
				expect(ask(restored, digest)).toBe(ask(state, digest));
				expect([...machine.snapshot(restored, 1)]).toEqual([
					...machine.snapshot(state, 1),
				]);
			}),
		);
	});

	it("has another digest for another state", () => {
		const [one, other] = [machine.create(), machine.create()];
		const write = { id: "a", key: "register-1", op: "write" } as const;
		apply(one, { ...write, value: 1 });
		apply(other, { ...write, value: 2 });
		const digest = { op: "digest" } as const;
		expect(ask(one, digest)).not.toBe(ask(other, digest));
		apply(other, { ...write, value: 1 });
		expect(ask(one, digest)).toBe(ask(other, digest));
	});
});
