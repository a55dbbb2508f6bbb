import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AdminNode, callJson, startAdminNode } from "./admin-node.js";

let node: AdminNode;
beforeEach(async () => {
	node = await startAdminNode();
});
afterEach(() => node.server.close());

const call = (method: string, request: object = {}) =>
	callJson(node, method, request);

const lock = { holder: "ci", host: "h1", operation: "roll", ttlMs: 60_000 };

async function acquire(): Promise<string> {
	const { body } = await call("AcquireLock", lock);
	return String(body.lock?.fencingToken);
}

describe("the operation lock", () => {
	it("is taken, renewed and released", async () => {
		const token = await acquire();
		const renewed = await call("RenewLock", {
			fencingToken: token,
			ttlMs: 60_000,
			step: "restart n2",
		});
		expect(renewed.body.lock).toMatchObject({
			holder: "ci",
			fencingToken: token,
			step: "restart n2",
		});
		expect((await call("ReleaseLock", { fencingToken: token })).status).toBe(
			200,
		);
		expect((await call("GetStatus")).body.lock).toEqual({});
	});

	it("shows the nonce that it was taken with", async () => {
		await call("AcquireLock", { ...lock, nonce: "f00d" });
		expect((await call("GetStatus")).body.lock).toMatchObject({
			holder: "ci",
			nonce: "f00d",
		});
		const long = { ...lock, nonce: "a".repeat(257) };
		expect((await call("AcquireLock", long)).status).toBe(400);
	});

	it("names its holder to whoever comes second", async () => {
		await acquire();
		const { status, body } = await call("AcquireLock", lock);
		expect(status).toBe(409);
		expect(body.code).toBe("aborted");
		expect(body.message).toContain("ci on h1 holds it for roll until");
		expect(body.details?.[0]).toMatchObject({
			type: "raftctl.admin.v1.Lock",
			debug: { holder: "ci", operation: "roll" },
		});
	});

	it("tells a holder that has lost it", async () => {
		const { body } = await call("RenewLock", {
			fencingToken: "4",
			ttlMs: 60_000,
		});
		expect(body.code).toBe("aborted");
		expect(body.message).toContain("the operation lock was lost");
	});

	it("fences off calls with an older token, and calls without one", async () => {
		const old = await acquire();
		await call("ReleaseLock", { fencingToken: old });
		const token = await acquire();
		for (const fencingToken of [old, "0"]) {
			for (const [method, request] of [
				["Drain", { leaseMs: 1000 }],
				["Undrain", {}],
				["TransferLeadership", {}],
			] as const) {
				const { body } = await call(method, { ...request, fencingToken });
				expect(body.code).toBe("failed_precondition");
				expect(body.message).toContain("ci on h1 holds the lock for roll");
			}
		}
		expect(node.draining.view().draining).toBe(false);
		const holder = { leaseMs: 1000, fencingToken: token };
		expect((await call("Drain", holder)).status).toBe(200);
	});

	it("lets its holder act on a node whose own clock is far ahead", async () => {
		const token = await acquire();
		vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
		try {
			const request = { leaseMs: 1000, fencingToken: token };
			expect((await call("Drain", request)).status).toBe(200);
			const byHand = await call("Undrain", { fencingToken: "0" });
			expect(byHand.body.message).toContain("ci on h1 holds the lock");
		} finally {
			vi.useRealTimers();
		}
	});

	it("fences off whom somebody has taken it from, before anybody else has it", async () => {
		const token = await acquire();
		// As `lock release` does, with the token that the status shows.
		await call("ReleaseLock", { fencingToken: token });
		for (const method of ["Undrain", "TransferLeadership"]) {
			const { body } = await call(method, { fencingToken: token });
			expect(body.code).toBe("failed_precondition");
			expect(body.message).toContain("is out of date; the lock is free now");
		}
	});

	it("lets an operation go on at a node that has yet to hear of its lock", async () => {
		const old = await acquire();
		await call("ReleaseLock", { fencingToken: old });
		const ahead = `${Number(old) + 10}`;
		expect((await call("Undrain", { fencingToken: ahead })).status).toBe(200);
	});

	it("does not stop a person once it has run out", async () => {
		await call("AcquireLock", { ...lock, ttlMs: 1000 });
		expect((await call("Undrain")).status).toBe(400);
		const expiresAtMs = node.replica.controlState().lock?.expiresAtMs ?? 0;
		while (Date.now() < expiresAtMs)
			await new Promise((resolve) => setTimeout(resolve, 50));
		expect((await call("Undrain")).status).toBe(200);
	});

	it("ends by the cluster's time, which its status tells as time that is left", async () => {
		await acquire();
		node.replica.aheadMs = 50_000;
		const { body } = await call("GetStatus");
		const { leftMs } = body.lock as { leftMs: number };
		expect(leftMs).toBeGreaterThan(0);
		expect(leftMs).toBeLessThanOrEqual(10_000);
		node.replica.aheadMs = 70_000;
		const later = await call("GetStatus");
		expect(later.body.lock).toMatchObject({ holder: "ci", leftMs: 0 });
	});

	it("says whether anything happened when there is no quorum", async () => {
		node.replica.refuseControl = {
			kind: "rejected",
			reason: "no-leader",
			message: "no leader is known",
			retryAfterMs: 100,
		};
		const rejected = await call("AcquireLock", lock);
		expect(rejected.body).toMatchObject({
			code: "unavailable",
			message: "the lock was not touched: no leader is known",
		});
		node.replica.refuseControl = { kind: "unknown", message: "leader lost" };
		const unknown = await call("AcquireLock", lock);
		expect(unknown.body).toMatchObject({
			code: "deadline_exceeded",
			message: "the lock may or may not have changed: leader lost",
		});
	});

	it("checks what a command says before the log sees it", async () => {
		expect((await call("AcquireLock", { ...lock, holder: "" })).status).toBe(
			400,
		);
		expect((await call("AcquireLock", { ...lock, ttlMs: 1 })).status).toBe(400);
		const far = { fencingToken: "18446744073709551615" };
		expect((await call("ReleaseLock", far)).status).toBe(400);
	});
});
