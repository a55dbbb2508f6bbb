import { describe, expect, it } from "vitest";
import { drain, planDrain } from "../../src/operations/drain.js";
import {
	planTransfer,
	transferLeader,
} from "../../src/operations/transfer-leader.js";
import { planUndrain, undrain } from "../../src/operations/undrain.js";
import { failureOf, operating } from "./operating.js";

describe("transfer-leader", () => {
	it("goes to the voter that is named", async () => {
		const { cluster, context } = operating();
		const report = await transferLeader(context, { to: "n3", lockWaitMs: 0 });
		expect(report).toMatchObject({ from: "n1", to: "n3", changed: true });
		expect(cluster.leader).toBe("n3");
		expect(cluster.lock).toBeNull();
	});

	it("goes to the most caught-up voter when none is named", async () => {
		const { cluster, context } = operating();
		cluster.node("n2").behind = 50;
		const { to } = await transferLeader(context, { to: null, lockWaitMs: 0 });
		expect(to).toBe("n3");
	});

	it("does nothing when the named one leads already", async () => {
		const { cluster, context } = operating();
		const report = await transferLeader(context, { to: "n1", lockWaitMs: 0 });
		expect(report.changed).toBe(false);
		expect(cluster.transfers).toEqual([]);
	});

	it("is refused for a target that lags, drains, is down or is no voter", async () => {
		const { clock, cluster, context } = operating({
			n1: "voter",
			n2: "voter",
			n3: "voter",
			n4: "voter",
			n5: "learner",
		});
		cluster.node("n2").behind = 50_000;
		cluster.node("n3").drain.until = clock.now() + 60_000;
		cluster.stop("n4");
		for (const [to, why] of [
			["n2", "entries behind"],
			["n3", "is draining"],
			["n4", "does not answer"],
			["n5", "is not a voter"],
		] as const) {
			const failure = await failureOf(
				transferLeader(context, { to, lockWaitMs: 0 }),
			);
			expect(failure.exitCode, to).toBe(11);
			expect(failure.message).toContain(why);
		}
		expect(cluster.leader).toBe("n1");
	});

	it("is a mistake in the command for a node that does not exist", async () => {
		const { context } = operating();
		const failure = await failureOf(
			transferLeader(context, { to: "n9", lockWaitMs: 0 }),
		);
		expect(failure.exitCode).toBe(2);
	});
});

describe("the plan of transfer-leader", () => {
	it("has one step with its cost, none when the named one leads, and touches nothing", async () => {
		const { cluster, context } = operating();
		const { plan } = await planTransfer(context, { to: "n2" });
		expect(plan).toMatchObject([
			{ id: "n1/transfer", cost: expect.stringContaining("writes wait") },
		]);
		expect((await planTransfer(context, { to: "n1" })).plan).toEqual([]);
		expect(cluster.leader).toBe("n1");
		expect(cluster.newestToken).toBe(0);
	});

	it("is refused where the transfer would be", async () => {
		const { cluster, context } = operating();
		cluster.node("n2").behind = 50_000;
		const failure = await failureOf(planTransfer(context, { to: "n2" }));
		expect(failure.exitCode).toBe(11);
	});
});

describe("drain", () => {
	it("drains several, and leaves none drained when one of them cannot be", async () => {
		const { cluster, context } = operating();
		const wish = { forMs: 60_000, lockWaitMs: 0 };
		const failure = await failureOf(
			drain(context, { ...wish, nodes: ["n1", "n2", "n3"] }),
		);
		expect(failure.exitCode).toBe(11);
		for (const id of ["n1", "n2", "n3"])
			expect(cluster.isDraining(id)).toBe(false);
		const { nodes } = await drain(context, { ...wish, nodes: ["n1", "n2"] });
		expect(nodes).toEqual(["n1", "n2"]);
		expect(cluster.isDraining("n1")).toBe(true);
		expect(cluster.isDraining("n2")).toBe(true);
	});

	it("plans what moves, and touches nothing", async () => {
		const { cluster, context } = operating();
		cluster.connect(7, "n2");
		const { plan } = await planDrain(context, { nodes: ["n2"] });
		expect(plan.map(({ id, cost }) => [id, cost])).toEqual([
			["n2/announce", ""],
			["n2/drain", "7 connections move, over 500 ms"],
			["n2/leave", ""],
		]);
		expect(cluster.isDraining("n2")).toBe(false);
		expect(cluster.newestToken).toBe(0);
	});

	it("refuses in its plan what it would refuse", async () => {
		const { context } = operating();
		const failure = await failureOf(
			planDrain(context, { nodes: ["n1", "n2", "n3"] }),
		);
		expect(failure.exitCode).toBe(11);
	});

	it("moves the connections away and lasts as long as it was asked to", async () => {
		const { clock, cluster, context } = operating();
		cluster.connect(7, "n2");
		await drain(context, { nodes: ["n2"], forMs: 60_000, lockWaitMs: 0 });
		expect(cluster.at("n2")).toEqual([]);
		expect(cluster.isDraining("n2")).toBe(true);
		expect(cluster.lock).toBeNull();
		await clock.sleep(60_000);
		expect(cluster.isDraining("n2")).toBe(false);
	});

	it("outlives a raftctl that is killed on the way by its short lease only", async () => {
		const { clock, cluster, context } = operating();
		cluster.connect(7, "n2");
		cluster.node("n2").stubborn = 1;
		let longestMs = 0;
		void (async () => {
			for (let look = 0; look < 50; look++) {
				await clock.sleep(100);
				const leftMs = cluster.node("n2").drain.until - clock.now();
				longestMs = Math.max(longestMs, leftMs);
			}
		})();
		await failureOf(
			drain(context, { nodes: ["n2"], forMs: 600_000, lockWaitMs: 0 }),
		);
		expect(longestMs).toBeGreaterThan(0);
		expect(longestMs).toBeLessThanOrEqual(15_000);
	});

	it("is undone when connections do not leave", async () => {
		const { cluster, context } = operating();
		cluster.connect(7, "n2");
		cluster.node("n2").stubborn = 1;
		const failure = await failureOf(
			drain(context, { nodes: ["n2"], forMs: 60_000, lockWaitMs: 0 }),
		);
		expect(failure.exitCode).toBe(12);
		expect(cluster.isDraining("n2")).toBe(false);
	});

	it("is refused for the last node that takes connections", async () => {
		const { cluster, context } = operating();
		cluster.node("n1").neverReady = true;
		cluster.node("n3").neverReady = true;
		const failure = await failureOf(
			drain(context, { nodes: ["n2"], forMs: 60_000, lockWaitMs: 0 }),
		);
		expect(failure.exitCode).toBe(11);
		expect(cluster.isDraining("n2")).toBe(false);
	});
});

describe("undrain", () => {
	it("ends the drain and waits for the balancer", async () => {
		const { balancer, cluster, context } = operating();
		await drain(context, { nodes: ["n2"], forMs: 60_000, lockWaitMs: 0 });
		await undrain(context, { nodes: ["n2"], lockWaitMs: 0 });
		expect(cluster.isDraining("n2")).toBe(false);
		const backends = await balancer.backends();
		expect(backends.find(({ node }) => node === "n2")?.admitting).toBe(true);
	});

	it("does nothing where there is no drain", async () => {
		const { cluster, context } = operating();
		await undrain(context, { nodes: ["n2"], lockWaitMs: 0 });
		expect(cluster.lock).toBeNull();
	});

	it("plans one step where there is a drain, none where there is none, and touches nothing", async () => {
		const { cluster, context } = operating();
		await drain(context, { nodes: ["n2"], forMs: 60_000, lockWaitMs: 0 });
		const token = cluster.newestToken;
		const { plan } = await planUndrain(context, { nodes: ["n1", "n2"] });
		expect(plan.map(({ id }) => id)).toEqual(["n2/admit"]);
		expect(cluster.isDraining("n2")).toBe(true);
		expect(cluster.newestToken).toBe(token);
	});
});
