import { describe, expect, it } from "vitest";
import { encodeCommand, encodeQuery } from "../../src/machines/kv/codec.js";
import { kv } from "../../src/machines/kv/machine.js";
import {
	checkMachine,
	type Machine,
	MachineInputError,
} from "../../src/machines/machine.js";

interface Scores {
	readonly scores: Map<string, number>;
	total: number;
}

interface Score {
	readonly name: string;
	readonly points: number;
}

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const read = (data: Uint8Array) => JSON.parse(Buffer.from(data).toString());

/** Points by name: right, as it stands; each test makes one mistake in it. */
const sound: Machine<Scores> = {
	name: "scores",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ scores: new Map(), total: 0 }),
	apply(state, command, { emit }) {
		const { name, points }: Score = read(command);
		state.scores.set(name, (state.scores.get(name) ?? 0) + points);
		state.total += points;
		emit(bytes(name));
		return bytes(state.total);
	},
	query: ({ scores }, query) => bytes(scores.get(read(query)) ?? null),
	snapshot: ({ scores, total }) => [
		bytes({ total, scores: [...scores].sort(byName) }),
	],
	restore(chunks) {
		const { total, scores } = read(Buffer.concat([...chunks]));
		return { total, scores: new Map(scores) };
	},
};

type Named = readonly [string, number];

function byName([one]: Named, [other]: Named): number {
	return one < other ? -1 : one > other ? 1 : 0;
}

const names = ["zoe", "ann", "örn", "bob", "ida", "carl", "ılk", "eve"];
const commands = Array.from({ length: 40 }, (_, at) =>
	bytes({ name: names[(at * 5) % names.length], points: (at % 7) + 1 }),
);
const queries = names.map(bytes);

const check = (machine: Partial<Machine<Scores>>, given = commands) =>
	checkMachine({ ...sound, ...machine }, { commands: given, queries });

const apply =
	(
		answer: (state: Scores, command: Score) => unknown,
	): Machine<Scores>["apply"] =>
	(state, command, context) => {
		sound.apply(state, command, context);
		return bytes(answer(state, read(command)));
	};

describe("the check of a machine", () => {
	it("finds nothing in a sound one", () => {
		expect(check({})).toEqual({ commands: 40, difference: null });
		expect(check({}, [])).toEqual({ commands: 0, difference: null });
	});

	it("finds nothing in the key-value machine, its digest and its restorer included", () => {
		const puts = Array.from({ length: 300 }, (_, at) =>
			at % 9 === 0
				? encodeCommand({ op: "delete", key: `k${at % 31}` })
				: encodeCommand({ op: "put", key: `k${at % 50}`, value: `${at}` }),
		);
		const list = encodeQuery({ op: "list", prefix: "", limit: 9, after: null });
		expect(
			checkMachine(kv, {
				commands: [...puts, Buffer.from("none")],
				queries: [list, Buffer.from("none")],
			}),
		).toEqual({ commands: 301, difference: null });
	});

	it.each<[string, string, Partial<Machine<Scores>>]>([
		["the clock", "result", { apply: apply(() => Date.now()) }],
		["a new date", "result", { apply: apply(() => new Date()) }],
		[
			"the monotonic clock",
			"result",
			{ apply: apply(() => performance.now()) },
		],
		["randomness", "result", { apply: apply(() => Math.random()) }],
		["random bytes", "result", { apply: apply(() => crypto.randomUUID()) }],
		[
			"the time zone",
			"result",
			{ apply: apply((_, { points }) => new Date(points).getHours()) },
		],
		[
			"the locale, in a number's text",
			"result",
			{
				apply: apply((_, { points }) => (points * 1234.5).toLocaleString()),
			},
		],
		[
			"the locale, in an order",
			"result",
			{
				apply: apply(({ scores }) =>
					[...scores.keys()].sort((one, other) => one.localeCompare(other)),
				),
			},
		],
		[
			"the locale, in a format",
			"result",
			{
				apply: apply((_, { points }) =>
					new Intl.NumberFormat().format(points / 8),
				),
			},
		],
		[
			"the words of an error",
			"result",
			{
				apply: apply(() => {
					try {
						return JSON.parse("{");
					} catch (error) {
						return (error as Error).message;
					}
				}),
			},
		],
		[
			"the stack of an error",
			"result",
			{ apply: apply(() => new Error("refused").stack) },
		],
		[
			"the order of a Map, which a restore changes",
			"result",
			{ apply: apply(({ scores }) => [...scores.keys()]) },
		],
		[
			"the order of a Map, in a snapshot",
			"snapshot",
			{
				snapshot: ({ scores, total }) => [
					bytes({ total, scores: [...scores] }),
				],
				restore(chunks) {
					const { total, scores } = read(Buffer.concat([...chunks]));
					return { total, scores: new Map(scores.sort(byName)) };
				},
			},
		],
		[
			"the order of equals, where a sort leaves it open",
			"result",
			{
				apply: apply(({ scores }) =>
					[...scores]
						.sort(
							([, one], [, other]) =>
								(one > other ? 1 : 0) - (one < other ? 1 : 0),
						)
						.map(([name]) => name),
				),
			},
		],
		[
			"numbers from 2^53 on, which a snapshot rounds",
			"result",
			{
				create: () => ({ scores: new Map(), total: (2n ** 53n) as never }),
				apply(state, command) {
					const { points }: Score = read(command);
					(state as { total: unknown }).total =
						(state.total as unknown as bigint) + BigInt(points);
					return bytes(`${state.total}`);
				},
				snapshot: ({ total }) => [bytes(Number(total))],
				restore: (chunks) => ({
					scores: new Map(),
					total: BigInt(read(Buffer.concat([...chunks]))) as never,
				}),
			},
		],
		[
			"the text of a float, which a snapshot rounds",
			"result",
			{
				apply(state, command) {
					state.total += (read(command) as Score).points / 3;
					return bytes(state.total);
				},
				snapshot: ({ total }) => [bytes(total.toFixed(3))],
				restore: (chunks) => ({
					scores: new Map(),
					total: Number(read(Buffer.concat([...chunks]))),
				}),
			},
		],
		[
			"a sum of floats, in another order after a restore",
			"result",
			{
				apply(state, command) {
					const { name, points }: Score = read(command);
					const before = state.scores.get(name) ?? 0;
					state.scores.set(name, before + points / 10);
					const sum = [...state.scores.values()].reduce((a, b) => a + b, 0);
					return bytes(sum);
				},
			},
		],
		[
			"a state that a restore leaves out",
			"result",
			{
				restore: (chunks) => ({ ...sound.restore(chunks), total: 0 }),
				snapshot: ({ scores }) => [
					bytes({ total: 0, scores: [...scores].sort(byName) }),
				],
			},
		],
		[
			"a snapshot that later commands show in",
			"snapshot",
			{
				*snapshot({ scores, total }) {
					yield Buffer.from(`{"total":${total},"scores":`);
					yield Buffer.from(`${JSON.stringify([...scores].sort(byName))}}`);
				},
			},
		],
		[
			"an event that depends on more than the state",
			"event",
			{
				apply(_state, _command, { emit }) {
					emit(bytes(Math.random()));
					return bytes(1);
				},
			},
		],
		[
			"a digest that depends on the way",
			"digest",
			{ digest: ({ scores }) => bytes([...scores.keys()]) },
		],
		[
			"a query that changes something",
			"result",
			{
				query(state) {
					state.total++;
					return bytes(null);
				},
			},
		],
		[
			"an answer in the order of a Map",
			"answer",
			{ query: ({ scores }) => bytes([...scores.keys()]) },
		],
		[
			"a validation that changes something",
			"result",
			{
				validate(_command, state) {
					state.total++;
					return null;
				},
			},
		],
		[
			"bytes of a command that are kept",
			"snapshot",
			{
				create: () => ({ scores: [] as never, total: 0 }),
				apply(state, command) {
					(state.scores as unknown as Uint8Array[])[0] = command;
					return bytes(null);
				},
				query: () => bytes(null),
				snapshot: ({ scores }) => scores as unknown as Uint8Array[],
				restore: (chunks) => ({ scores: [...chunks] as never, total: 0 }),
			},
		],
		[
			"one buffer for all results",
			"result",
			{
				apply: (() => {
					const shared = Buffer.alloc(1);
					return (state) => {
						shared[0] = state.total++;
						return shared;
					};
				})(),
			},
		],
	])("finds a machine that depends on %s", (_, what, wrong) => {
		const { difference } = check(wrong);
		expect(difference).toMatchObject({ what });
		expect(difference?.message).toContain(`${difference?.command}`);
	});

	it("says at which command the difference shows first, and shows it", () => {
		const wrong = check({
			apply: apply((_, { points }) => (points === 5 ? Date.now() : "the same")),
		});
		expect(wrong).toEqual({
			commands: 40,
			difference: {
				what: "result",
				command: 5,
				message: expect.stringMatching(
					/^the result of command 5 is another one in another run: "17\d+" \(from byte 0 of 13\), then "19\d+" /,
				),
			},
		});
	});

	it.each<[string, string, Partial<Machine<Scores>>]>([
		[
			"apply",
			"apply failed at command 1: a mistake",
			{
				apply() {
					throw new Error("a mistake");
				},
			},
		],
		[
			"apply",
			"apply failed at command 1: it gave no bytes",
			{ apply: (() => "text") as never },
		],
		[
			"apply",
			"apply failed at command 1: it emits more than one event",
			{
				apply(_state, _command, { emit }) {
					emit(bytes(1));
					emit(bytes(2));
					return bytes(1);
				},
			},
		],
		[
			"restore",
			"restore failed after command 0: a mistake",
			{
				restore() {
					throw new Error("a mistake");
				},
			},
		],
		[
			"query",
			"query failed after command 0: a mistake",
			{
				query() {
					throw new Error("a mistake");
				},
			},
		],
		["shape", "name is not a string", { name: "" }],
	])("says that %s fails, and how", (what, message, wrong) => {
		expect(check(wrong).difference).toMatchObject({ what, message });
	});

	it("takes a query that makes no sense for an answer", () => {
		const query = () => {
			throw new MachineInputError("it makes no sense");
		};
		expect(check({ query }).difference).toBeNull();
	});

	it("gives commands the level that they are said to have, and snapshots the highest so far", () => {
		const told: number[] = [];
		const machine: Machine<Scores> = {
			...sound,
			levels: { reads: [1, 2], writes: 2 },
			apply(state, command, context) {
				told.push(context.level);
				return sound.apply(state, command, context);
			},
			snapshot(state, level) {
				told.push(level * 10);
				return sound.snapshot(state, level);
			},
		};
		const [command] = commands as [Buffer];
		const given = [{ command, level: 1 }, command];
		checkMachine(machine, { commands: given, restores: 2 });
		expect(told.slice(0, 5)).toEqual([10, 1, 10, 2, 20]);
	});

	it("leaves clock, randomness, locale and errors as they were, also after a mistake", () => {
		const look = () => [
			Date,
			Math.random,
			performance.now,
			JSON.parse,
			Intl.Collator,
			String.prototype.localeCompare,
			Date.prototype.getHours,
			Reflect.getOwnPropertyDescriptor(Error, "prepareStackTrace")?.value,
		];
		const before = look();
		check({});
		check({
			apply() {
				throw new Error("a mistake");
			},
		});
		expect(look()).toEqual(before);
		expect(new Date().getFullYear()).toBe(new Date(Date.now()).getFullYear());
	});
});
