import { beforeEach, describe, expect, it } from "vitest";
import { Admission, rejected } from "../../../src/daemon/engine/admission.js";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import { Request } from "../../../src/daemon/engine/request.js";
import { openSessionCommand } from "../../../src/daemon/engine/session-opening.js";
import { EntryKind } from "../../../src/raft/types.js";

let nowMs = 0;

beforeEach(() => {
	nowMs = 0;
});

function admission(limits: Partial<typeof defaultLimits> = {}): Admission {
	return new Admission(
		{ ...defaultLimits, ...limits },
		{ nowMs: () => nowMs, random: () => 0.5 },
	);
}

function request(
	client: string | null = "c1",
	kind: Request["kind"] = EntryKind.command,
): Request {
	return new Request({
		...{ kind, level: 0, command: Buffer.from("c"), ack: "apply" },
		deadlineMs: 1000,
		origin:
			client === null
				? { kind: "peer", peer: "n2", link: 1, requestId: 1 }
				: { kind: "local", client, done: () => {} },
	});
}

/** As a client sends it. */
function opening(client: string): Request {
	return new Request({
		...{ kind: EntryKind.control, level: 0, ack: "apply", deadlineMs: 1000 },
		command: openSessionCommand(0),
		origin: { kind: "local", client, done: () => {} },
	});
}

/** Until its queue stands: each takes `waitMs`, far more than the first ones took. */
function overload(admitted: Admission, waitMs: number): void {
	const quick = request();
	admitted.admit(quick);
	nowMs += 1;
	admitted.release(quick, true);
	for (let round = 0; round < 5; round++) {
		const slow = request();
		admitted.admit(slow);
		nowMs += waitMs;
		admitted.release(slow, true);
	}
}

describe("admission", () => {
	it("sends away what would wait too long, from whichever side it comes, but never the operators", () => {
		const admitted = admission({ minPendingCommands: 2 });
		overload(admitted, 200);
		expect(admitted.admit(request())).toBeNull();
		expect(admitted.admit(request("c2"))).toBeNull();
		for (const origin of ["c3", null])
			expect(admitted.admit(request(origin))).toMatchObject({
				reason: "overloaded",
				retryAfterMs: 50,
				message: expect.stringContaining("50 ms"),
			});
		expect(admitted.admit(request("op", EntryKind.control))).toBeNull();
	});

	it("says beforehand what it would say to each, and nothing while there is room", () => {
		const admitted = admission({ minPendingCommands: 2 });
		expect(admitted.overload()).toBeNull();
		overload(admitted, 200);
		admitted.admit(request());
		expect(admitted.overload()).toBeNull();
		admitted.admit(request("c2"));
		expect(admitted.overload()).toEqual(admitted.admit(request("c3")));
		admitted.isPaused = true;
		expect(admitted.overload()).toBeNull();
	});

	it("takes for no overload that nobody leads", () => {
		const admitted = admission({ minPendingCommands: 2 });
		overload(admitted, 200);
		admitted.isPaused = true;
		for (let i = 0; i < 10; i++) expect(admitted.admit(request())).toBeNull();
		admitted.isPaused = false;
		expect(admitted.admit(request())).toMatchObject({ reason: "overloaded" });
	});

	it("counts only what was done, not what was given up", () => {
		const admitted = admission({ minPendingCommands: 1 });
		for (let i = 0; i < 20; i++) {
			const late = request();
			admitted.admit(late);
			nowMs += 5000;
			admitted.release(late);
		}
		admitted.admit(request());
		expect(admitted.admit(request())).toBeNull();
	});

	it("limits each connection's rate, not what followers forward", () => {
		const admitted = admission({
			...{ maxCommandsPerSecondPerClient: 10, maxCommandBurstPerClient: 2 },
		});
		expect(admitted.admit(request())).toBeNull();
		expect(admitted.admit(request())).toBeNull();
		expect(admitted.admit(request())).toMatchObject({
			...{ reason: "overloaded", retryAfterMs: 100 },
			message: expect.stringContaining("10 commands a second"),
		});
		expect(admitted.admit(request("c2"))).toBeNull();
		for (let i = 0; i < 5; i++)
			expect(admitted.admit(request(null))).toBeNull();
		nowMs += 100;
		expect(admitted.admit(request())).toBeNull();
	});

	it("asks the machine last, and takes in nothing that it refuses", () => {
		const admitted = admission({ maxPendingCommands: 1 });
		let asked = 0;
		const refuses = () => {
			asked++;
			return rejected("invalid", "it is bad");
		};
		expect(admitted.admit(request(), refuses)).toMatchObject({
			reason: "invalid",
		});
		expect(admitted.count).toBe(0);
		admitted.admit(request());
		expect(admitted.admit(request(), refuses)).toMatchObject({
			reason: "overloaded",
		});
		expect(asked).toBe(1);
	});

	it("gives back all that a request took", () => {
		const admitted = admission({ maxPendingPerClient: 1 });
		const first = request();
		admitted.admit(first);
		expect(admitted.admit(request())).toMatchObject({ reason: "overloaded" });
		admitted.release(first, true);
		admitted.release(first, true);
		expect([admitted.count, admitted.bytes]).toEqual([0, 0]);
		expect(admitted.admit(request())).toBeNull();
	});
});

describe("sessions that clients ask for", () => {
	it("are commands like others: they have a client's share, and not the room kept for the operator", () => {
		const admitted = admission({ maxPendingPerClient: 2 });
		expect(admitted.admit(opening("c1"))).toBeNull();
		expect(admitted.admit(opening("c1"))).toBeNull();
		expect(admitted.admit(opening("c1"))).toMatchObject({
			reason: "overloaded",
		});
		expect(admitted.admit(opening("c2"))).toBeNull();
		const lock = request("control", EntryKind.control);
		expect(admitted.admit(lock)).toBeNull();
	});

	it("leave room for the lock's renewal when they fill the node", () => {
		const admitted = admission({ maxPendingCommands: 3 });
		for (let at = 0; at < 5; at++) admitted.admit(opening(`c${at}`));
		expect(admitted.count).toBe(3);
		expect(admitted.admit(request("control", EntryKind.control))).toBeNull();
	});

	it("take from their client's tokens", () => {
		const admitted = admission({
			maxCommandsPerSecondPerClient: 1,
			maxCommandBurstPerClient: 1,
		});
		expect(admitted.admit(opening("c1"))).toBeNull();
		expect(admitted.admit(opening("c1"))).toMatchObject({
			reason: "overloaded",
		});
	});
});
