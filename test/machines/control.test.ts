import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	decodeControl,
	encodeControl,
} from "../../src/machines/control/snapshot.js";
import {
	applyControl,
	type ControlCommand,
	type ControlResult,
	type ControlState,
	createControlState,
	maxAlarms,
} from "../../src/machines/control.js";
import { MachineInputError } from "../../src/machines/machine.js";
import { sessionLimits } from "../../src/machines/sessions.js";

function run(
	state: ControlState,
	index: number,
	command: ControlCommand | Uint8Array | string,
): ControlResult {
	const data =
		command instanceof Uint8Array
			? command
			: Buffer.from(
					typeof command === "string" ? command : JSON.stringify(command),
				);
	return JSON.parse(Buffer.from(applyControl(state, data, index)).toString());
}

function acquire(holder: string, nowMs: number, ttlMs = 1000): ControlCommand {
	const operation = "rolling-restart";
	return { type: "acquire-lock", holder, host: "h", operation, ttlMs, nowMs };
}

const renew = (fencingToken: number, nowMs: number): ControlCommand => ({
	type: "renew-lock",
	fencingToken,
	ttlMs: 1000,
	step: "drain n2",
	nowMs,
});

const release = (fencingToken: number, nowMs: number): ControlCommand => ({
	type: "release-lock",
	fencingToken,
	nowMs,
});

describe("the operation lock", () => {
	it("is held by one at a time, and its fencing token is the index that took it", () => {
		const state = createControlState();
		expect(run(state, 7, acquire("ann", 100))).toEqual({
			ok: true,
			reason: null,
			lock: {
				holder: "ann",
				host: "h",
				nonce: "",
				operation: "rolling-restart",
				step: "",
				fencingToken: 7,
				acquiredAtMs: 100,
				expiresAtMs: 1100,
			},
		});
		expect(run(state, 8, acquire("bob", 200))).toMatchObject({
			ok: false,
			reason: "held",
			lock: { holder: "ann" },
		});
		expect(run(state, 9, acquire("ann", 200))).toMatchObject({
			ok: false,
			reason: "held",
		});
		expect(state.fencingToken).toBe(7);
	});

	it("lives as long as it is renewed, shows the step, and is lost once it has expired", () => {
		const state = createControlState();
		run(state, 1, acquire("ann", 0));
		expect(run(state, 2, renew(1, 900))).toMatchObject({
			ok: true,
			lock: { step: "drain n2", expiresAtMs: 1900 },
		});
		expect(run(state, 3, renew(1, 1899))).toMatchObject({ ok: true });
		expect(run(state, 4, renew(1, 2899))).toEqual({
			ok: false,
			reason: "lost",
			lock: null,
		});
		expect(run(state, 5, acquire("bob", 2900))).toMatchObject({
			ok: true,
			lock: { holder: "bob", fencingToken: 5 },
		});
		expect(run(state, 6, renew(1, 2900))).toMatchObject({
			ok: false,
			reason: "lost",
			lock: { holder: "bob" },
		});
	});

	it("never goes back in time, whichever leader's clock it is told", () => {
		const state = createControlState();
		run(state, 1, acquire("ann", 5000));
		run(state, 2, renew(1, 5500));
		expect(run(state, 3, renew(1, 10))).toMatchObject({
			lock: { expiresAtMs: 6500 },
		});
		expect(state.nowMs).toBe(5500);
		run(state, 4, release(1, 6500));
		expect(run(state, 5, acquire("bob", 20))).toMatchObject({
			lock: { acquiredAtMs: 6500, expiresAtMs: 7500 },
		});
	});

	it("is released by its own token only, and releasing it twice is no mistake", () => {
		const state = createControlState();
		expect(run(state, 1, release(0, 0))).toMatchObject({ reason: "lost" });
		run(state, 2, acquire("ann", 0));
		expect(run(state, 3, release(1, 1))).toMatchObject({
			ok: false,
			reason: "lost",
			lock: { holder: "ann" },
		});
		const done = { ok: true, reason: null, lock: null };
		expect(run(state, 4, release(2, 2))).toEqual(done);
		expect(run(state, 5, release(2, 3))).toEqual(done);
		run(state, 6, acquire("bob", 4));
		expect(run(state, 7, release(2, 5))).toMatchObject({ reason: "lost" });
	});

	it("keeps the nonce of whoever took it, and no nonce of an older raftctl as an empty one", () => {
		const state = createControlState();
		const taken = { ...acquire("ann", 0), nonce: "f00d" };
		expect(run(state, 1, taken)).toMatchObject({ lock: { nonce: "f00d" } });
		expect(run(state, 2, renew(1, 1))).toMatchObject({
			lock: { nonce: "f00d" },
		});
		run(state, 3, release(1, 2));
		expect(run(state, 4, acquire("ann", 3))).toMatchObject({
			ok: true,
			lock: { nonce: "" },
		});
	});

	it.each([
		[
			"an endless nonce",
			JSON.stringify({ ...acquire("a", 1), nonce: "a".repeat(257) }),
		],
		[
			"a nonce that is no text",
			JSON.stringify({ ...acquire("a", 1), nonce: 7 }),
		],
		["nothing", ""],
		["no JSON", "{"],
		["null", "null"],
		["no known command", '{"type":"steal-lock","nowMs":1}'],
		["no time", JSON.stringify({ ...acquire("a", 0), nowMs: undefined })],
		["an endless time", JSON.stringify(acquire("a", 1e17))],
		["a time of life of nothing", JSON.stringify(acquire("a", 1, 0))],
		["an endless time of life", JSON.stringify(acquire("a", 1, 1e12))],
		["an endless name", JSON.stringify(acquire("a".repeat(257), 1))],
		["no token", '{"type":"release-lock","nowMs":1}'],
		["half a token", '{"type":"release-lock","fencingToken":1.5,"nowMs":1}'],
	])("answers %s as malformed and stays as it is", (_, text) => {
		const state = createControlState();
		run(state, 1, acquire("ann", 100));
		const before = structuredClone(state);
		expect(run(state, 2, text)).toMatchObject({
			ok: false,
			reason: "malformed",
		});
		expect(state).toEqual(before);
	});

	it("gives every node the same state and results for the same commands, and tokens that only rise", () => {
		const nowMs = fc.nat({ max: 5000 });
		const token = fc.nat({ max: 30 });
		const command = fc.oneof(
			fc
				.record({ holder: fc.constantFrom("a", "b"), nowMs })
				.map((each) => acquire(each.holder, each.nowMs)),
			fc.tuple(token, nowMs).map((each) => renew(...each)),
			fc.tuple(token, nowMs).map((each) => release(...each)),
		);
		fc.assert(
			fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
				const one = createControlState();
				const other = createControlState();
				let previous = 0;
				commands.forEach((each, at) => {
					expect(run(one, at + 1, each)).toEqual(run(other, at + 1, each));
					expect(one.fencingToken).toBeGreaterThanOrEqual(previous);
					expect(one.lock?.fencingToken ?? one.fencingToken).toBe(
						one.fencingToken,
					);
					previous = one.fencingToken;
				});
				expect(one).toEqual(other);
			}),
		);
	});
});

describe("the cluster's own state in a snapshot", () => {
	const saved = () => {
		const state = createControlState();
		run(state, 7, acquire("ann", 100));
		const alarm = { kind: "corrupt-data", node: "n1", index: 3, message: "m" };
		run(state, 8, JSON.stringify({ type: "raise-alarm", ...alarm, nowMs: 1 }));
		return JSON.parse(Buffer.from(encodeControl(state)).toString());
	};
	const restored = (json: object) =>
		decodeControl(Buffer.from(JSON.stringify(json)));

	it("is restored as it was", () => {
		expect(restored(saved()).lock).toMatchObject({ holder: "ann" });
	});

	it.each([
		[
			"a lock that never ends",
			{ lock: { ...saved().lock, expiresAtMs: null } },
		],
		[
			"a lock taken at no time",
			{ lock: { ...saved().lock, acquiredAtMs: -1 } },
		],
		[
			"a lock without its token",
			{ lock: { ...saved().lock, fencingToken: "7" } },
		],
		["a step that is no text", { lock: { ...saved().lock, step: 1 } }],
		["a command for a lock", { lock: { type: "tick" } }],
		["half a token", { fencingToken: 0.5 }],
		[
			"an alarm raised at no time",
			{ alarms: [{ ...saved().alarms[0], raisedAtMs: "1" }] },
		],
	])("is refused with %s", (_what, changed) => {
		expect(() => restored({ ...saved(), ...changed })).toThrow(
			MachineInputError,
		);
	});
});

function told(state: ControlState, index: number, command: ControlCommand) {
	const data = Buffer.from(JSON.stringify(command));
	return JSON.parse(Buffer.from(applyControl(state, data, index)).toString());
}

const raise = (node: string, nowMs = 5): ControlCommand => ({
	...{ type: "raise-alarm", kind: "state-differs", node, index: 9 },
	...{ message: "its state differs", nowMs },
});

const level = (to: number, release = "1.0.0"): ControlCommand => ({
	...{ type: "set-write-level", level: to, release, nowMs: 1 },
});

describe("sessions in the cluster's state", () => {
	it("are opened under the index of their entry, and expire as time is told", () => {
		const state = createControlState();
		const open: ControlCommand = {
			...{ type: "open-session", ttlMs: 1000, nowMs: 500 },
		};
		expect(told(state, 12, open)).toEqual({
			ok: true,
			reason: null,
			session: { id: 12, ttlMs: 1000 },
		});
		told(state, 13, { type: "tick", nowMs: 1499 });
		told(state, 14, { type: "tick", nowMs: 100 });
		expect(state.sessions.size).toBe(1);
		expect(told(state, 15, { type: "tick", nowMs: 1500 })).toEqual({
			ok: true,
			reason: null,
		});
		expect(state.sessions.size).toBe(0);
	});

	it("are refused beyond their number, unless one has expired by the time of the command", () => {
		const state = createControlState();
		const open = (nowMs: number): ControlCommand => ({
			...{ type: "open-session", ttlMs: 1000, nowMs },
		});
		for (let index = 1; index <= sessionLimits.sessions; index++)
			told(state, index, open(0));
		expect(told(state, 5000, open(999))).toEqual({
			ok: false,
			reason: "too-many-sessions",
			session: null,
		});
		expect(told(state, 5001, open(1000))).toMatchObject({ ok: true });
		expect(state.sessions.size).toBe(1);
	});
});

describe("the write level", () => {
	it("rises by command, never falls, and names the release that set it", () => {
		const state = createControlState();
		expect(state.writeLevel).toBeNull();
		expect(told(state, 1, level(2, "1.4.0"))).toEqual({
			ok: true,
			reason: null,
			writeLevel: { level: 2, release: "1.4.0" },
		});
		expect(told(state, 2, level(2, "1.5.0"))).toMatchObject({
			ok: true,
			writeLevel: { release: "1.4.0" },
		});
		expect(told(state, 3, level(1))).toMatchObject({
			ok: false,
			reason: "lower",
			writeLevel: { level: 2 },
		});
	});
});

describe("an alarm", () => {
	it("is raised once for a kind and node, stays as it was first raised, and is cleared", () => {
		const state = createControlState();
		told(state, 1, raise("n1", 5));
		const before = state.alarms;
		expect(told(state, 2, raise("n1", 90))).toEqual({ ok: true, reason: null });
		expect(state.alarms).toBe(before);
		expect([...state.alarms.values()]).toEqual([
			{
				...{ kind: "state-differs", node: "n1", index: 9 },
				...{ message: "its state differs", raisedAtMs: 5 },
			},
		]);
		const clear = (kind: "state-differs" | "corrupt-data"): ControlCommand => ({
			...{ type: "clear-alarm", kind, node: "n1", nowMs: 100 },
		});
		told(state, 3, clear("corrupt-data"));
		expect(state.alarms.size).toBe(1);
		expect(told(state, 4, clear("state-differs"))).toMatchObject({ ok: true });
		expect(told(state, 5, clear("state-differs"))).toMatchObject({ ok: true });
		expect(state.alarms.size).toBe(0);
		expect(before.size).toBe(1);
	});

	it("is refused beyond their number", () => {
		const state = createControlState();
		for (let at = 0; at < maxAlarms; at++)
			expect(told(state, at, raise(`n${at}`))).toMatchObject({ ok: true });
		expect(told(state, 99, raise("one more"))).toMatchObject({
			ok: false,
			reason: "too-many-alarms",
		});
		expect(told(state, 99, raise("n0"))).toMatchObject({ ok: true });
	});
});

describe("the cluster's own state", () => {
	it.each([
		["a session of no time", { type: "open-session", ttlMs: 0 }],
		["a session for ever", { type: "open-session", ttlMs: 1e12 }],
		["half a level", { type: "set-write-level", level: 1.5, release: "" }],
		[
			"a level of two bytes",
			{ type: "set-write-level", level: 256, release: "" },
		],
		["a level of no release", { type: "set-write-level", level: 2 }],
		["an unknown alarm", { ...raise("n1"), kind: "fire" }],
		["an endless message", { ...raise("n1"), message: "a".repeat(1025) }],
		["a digest that is none", { type: "compare-state", index: 1, digest: "x" }],
		["an inherited name", { type: "constructor" }],
		["a type that is no text", { type: ["tick"] }],
	])("answers %s as malformed", (_, command) => {
		const state = createControlState();
		expect(run(state, 1, JSON.stringify({ nowMs: 1, ...command }))).toEqual({
			...{ ok: false, reason: "malformed", lock: null },
		});
		expect(state).toEqual(createControlState());
	});

	it("comes back from its bytes, and has the same ones for the same state", () => {
		const state = createControlState();
		const decoded = () => decodeControl(encodeControl(state));
		expect(decoded()).toEqual(state);
		run(state, 1, JSON.stringify({ ...acquire("ann", 100), nonce: "a" }));
		told(state, 2, level(3));
		told(state, 3, raise("n\ud800"));
		told(state, 4, raise("n2"));
		expect(decoded()).toEqual(state);
		expect(Buffer.from(encodeControl(decoded()))).toEqual(
			Buffer.from(encodeControl(state)),
		);
	});

	it("is not restored from bytes that hold anything else", () => {
		const whole = JSON.parse(
			Buffer.from(encodeControl(createControlState())).toString(),
		);
		for (const wrong of [
			{ ...whole, more: 1 },
			{ ...whole, nowMs: "1" },
			{ ...whole, writeLevel: { level: 900, release: "1" } },
			{ ...whole, alarms: [{ kind: "fire" }] },
			{ ...whole, alarms: null },
			{ ...whole, lock: { holder: "a" } },
			null,
		])
			expect(() => decodeControl(Buffer.from(JSON.stringify(wrong)))).toThrow(
				MachineInputError,
			);
		expect(() => decodeControl(Buffer.from("{"))).toThrow(MachineInputError);
	});
});
