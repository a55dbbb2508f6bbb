import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	type Crew,
	LoadError,
	openCrew,
} from "../../../src/operations/bench/crew.js";
import { LatencyHistogram } from "../../../src/operations/bench/latency-histogram.js";
import type { Sample } from "../../../src/operations/bench/load.js";
import { FakeEtcd } from "./fake-etcd.js";

/** A machine may be busy with other tests. */
const patient = { timeout: 30_000 };

/** Run from source, its threads are this one; the built ones are test/e2e/bench.test.ts's. */
describe("the crew of a load", () => {
	const prefix = "raftctl/bench/x/";
	let server: FakeEtcd;
	let endpoints: readonly string[];
	let crew: Crew;

	function opened(keys: number): Promise<Crew> {
		const requests = {
			...{ prefix, keys, bytes: 8, reads: 0.5 },
			...{ timeoutMs: 10_000, connections: 3 },
		};
		return openCrew({ target: { system: "etcd", endpoints }, requests }, 3);
	}

	beforeEach(async () => {
		server = new FakeEtcd();
		endpoints = [`127.0.0.1:${await server.listen()}`];
		crew = await opened(50);
	});
	afterEach(async () => {
		await crew.close();
		server.stop();
	});

	function latencies(samples: readonly Sample[]): LatencyHistogram {
		const all = new LatencyHistogram();
		for (const { reads, writes } of samples)
			for (const counts of [reads, writes]) all.add(counts);
		return all;
	}

	it("fills, loads, counts and removes as one", async () => {
		await crew.check();
		await crew.fill();
		expect(server.keys.size).toBe(50);
		await crew.begin({ mode: "closed", clients: 6 });
		await crew.mark();
		const before = server.asked.length;
		await expect
			.poll(() => server.asked.length - before, patient)
			.toBeGreaterThan(60);
		await crew.stop();
		const asked = server.asked.length;
		const samples = await crew.take();
		expect(samples).toHaveLength(3);
		for (const { errors, busy } of samples) {
			expect(errors).toEqual({});
			expect(busy).toBeGreaterThan(0);
			expect(busy).toBeLessThanOrEqual(1);
		}
		// Those that were under way at the mark do not count; each client had one at most.
		const counted = latencies(samples).count;
		expect(counted).toBeLessThanOrEqual(asked - before + 6);
		expect(counted).toBeGreaterThanOrEqual(asked - before - 6);
		expect(await crew.remove()).toBe(50);
		expect(server.asked.length).toBe(asked + 1);
	});

	it("ends a fill that is stopped", async () => {
		const large = await opened(1_000_000);
		const filled = large.fill();
		await expect.poll(() => server.keys.size, patient).toBeGreaterThan(0);
		await large.stop();
		await filled;
		expect(server.keys.size).toBeLessThan(1_000_000);
		await large.close();
	});

	it("tells by its kind what a thread could not do", async () => {
		server.refusal = { code: 14, details: "no leader" };
		const failure = await crew.remove().catch((error) => error);
		expect(failure).toBeInstanceOf(LoadError);
		expect(failure).toMatchObject({
			kind: "unavailable",
			message: "no leader",
		});
	});
});
