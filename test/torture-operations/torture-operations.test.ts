import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/operations/catalogue.js";
import { Counts } from "./counts.js";
import { conclude } from "./main.js";
import { chosenPieces, neverStruck, run } from "./run.js";

const limitMs = 900_000;

const elsewhere = {
	"move-node": "needs other addresses, in test/e2e/move-node.test.ts",
};

const dashed = (name: string) => name.replaceAll(" ", "-");

describe("operations on real clusters, killed on their way and taken up again", () => {
	it(
		"lose no write, fail no request, and leave nothing behind",
		async () => {
			const directory = mkdtempSync(join(tmpdir(), "raftctl-torture-"));
			const seed = Math.floor(Math.random() * 1_000_000);
			const said: string[] = [];
			const report = await run({
				...{ directory, seed, kills: 6, parallel: 2 },
				kinds: ["operator", "race", "outage"],
				operations: ["rolling-restart", "replace-node", "snapshot-restore"],
				tell: () => undefined,
			});
			conclude(report, directory, (line) => said.push(line));
			expect(said).toEqual([]);
			expect(report.summary.kills).toBeGreaterThanOrEqual(6);
			expect(report.summary).toMatchObject({
				...{ operations: 3, failedRequests: 0, lostWrites: 0 },
				...{ leftDrained: 0, extraRestarts: 0, quorumAtRisk: 0 },
			});
			expect(report.summary.races).toBeGreaterThan(0);
		},
		limitMs,
	);

	it("are all of those that raftctl knows, but for a few that are killed elsewhere", () => {
		const { pieces, outages } = chosenPieces([]);
		const names = [...pieces, ...outages].map(({ name }) => dashed(name));
		const isTortured = (operation: string) =>
			names.some(
				(name) => name === operation || name.startsWith(`${operation}-`),
			);
		const others = Object.keys(catalogue).filter(
			(operation) => !isTortured(dashed(operation)),
		);
		expect(others.sort()).toEqual(Object.keys(elsewhere).sort());
	});

	it("are not proven by a run in which one of them was never killed", () => {
		const counts = new Counts();
		counts.killed("operator", "rolling-restart", "n1/stop");
		const struck = (name: string) =>
			neverStruck(["operator", "race"], chosenPieces([name]), counts);
		expect(struck("drain")).toEqual([
			"invalid: drain was never killed on its way",
			"invalid: nothing of the kind race came about",
		]);
		counts.races++;
		expect(struck("rolling-restart")).toEqual([]);
	});
});
