import { describe, expect, it } from "vitest";
import { Random } from "../../sim/random.js";
import type { Cluster } from "../cluster.js";
import { Battlefield, type Fault, faultNames } from "./battlefield.js";
import { rage, scheduled } from "./schedule.js";

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

function namesOf(seed: number): string[] {
	return scheduled(seed).flatMap(({ faults }) =>
		faults.map(({ name }) => name),
	);
}

describe("the schedule of a seed", () => {
	it("is always the same", () => {
		expect(namesOf(3)).toEqual(namesOf(3));
	});

	it("has kills, changes of membership and snapshots whatever the seed", () => {
		for (const seed of seeds)
			expect(namesOf(seed)).toEqual(
				expect.arrayContaining(["kill", "membership", "snapshot"]),
			);
	});

	it("leaves each other fault out for some seeds, and none for all", () => {
		for (const name of faultNames) {
			const with_ = seeds.filter((seed) => namesOf(seed).includes(name));
			expect(with_.length).toBeGreaterThan(seeds.length / 2);
			if (!["kill", "membership", "snapshot"].includes(name))
				expect(with_.length).toBeLessThan(seeds.length);
		}
	});

	it("tries what a run must have until it has come about, and counts only that", async () => {
		const over = new AbortController();
		const told: string[] = [];
		let tries = 0;
		const kill: Fault = { name: "kill", strike: async () => ++tries === 3 };
		const slow: Fault = {
			name: "slow",
			async strike() {
				over.abort();
				return true;
			},
		};
		const cluster = {} as Cluster;
		const field = new Battlefield(cluster, new Random(1), over.signal);
		const line = { faults: [kill, slow], calmMs: [0, 0] } as const;
		await rage(line, field, (name) => told.push(name));
		expect(told.filter((name) => name === "kill")).toEqual(["kill"]);
		expect(tries).toBeGreaterThanOrEqual(3);
		expect(told.at(-1)).toBe("slow");
	});
});
