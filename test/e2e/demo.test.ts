import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, startRaftctl } from "./local-cluster.js";

const limitMs = 300_000;
const aTime = expect.any(Number);

/** As a person runs it, with a temporary directory of its own, so that whatever it leaves is seen. */
describe("raftctl demo --json", () => {
	let directory: string;
	beforeAll(async () => {
		directory = await mkdtemp(join(tmpdir(), "raftctl-e2e-demo-"));
	});
	afterAll(() => rm(directory, { recursive: true, force: true }));

	it(
		"rolls a real cluster unnoticed, prints one JSON object and leaves nothing behind",
		async () => {
			const load = ["--writers", "5", "--readers", "3", "--subscribers", "20"];
			const { done } = startRaftctl(["demo", "--json", ...load], {
				directory,
				environment: { TMPDIR: directory },
			});
			let over = false;
			const ended = done.finally(() => {
				over = true;
			});
			// Three nodes and a balancer: what is looked for afterwards can be seen.
			await eventually(
				async () => over || (await processesOf(directory)).length >= 4,
				"the demo's processes",
				limitMs,
			);
			expect(over).toBe(false);

			const { exitCode, stdout, stderr } = await ended;
			expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
			const summary = JSON.parse(stdout);
			expect(summary).toMatchObject({
				requests: { ok: aTime, failed: 0 },
				writes: { ok: aTime, maxMs: aTime, p99Ms: aTime },
				leaderless: { maxMs: aTime },
				subscribers: { count: 20, missed: 0, doubled: 0 },
				lostWrites: 0,
				nodes: ["n1", "n2", "n3"].map(() => ({
					id: expect.stringMatching(/^n[123]$/),
					downtimeMs: aTime,
					connectionsMoved: aTime,
				})),
				durationMs: aTime,
				failures: [],
			});
			expect(summary.nodes.map(({ id }: { id: string }) => id).sort()).toEqual([
				"n1",
				"n2",
				"n3",
			]);
			expect(summary.writes.ok).toBeGreaterThan(0);
			expect(summary.requests.ok).toBeGreaterThan(summary.writes.ok);
			expect(summary.subscribers.events).toBeGreaterThanOrEqual(
				20 * summary.writes.ok,
			);
			const { maxMoves, movedTwiceFrom } = summary.subscribers;
			// Every node was restarted, so everybody had to move.
			expect(summary.subscribers.minMoves).toBeGreaterThanOrEqual(1);
			expect(maxMoves).toBeLessThanOrEqual(2);
			const first = summary.nodes[0].id;
			expect([[], [first]]).toContainEqual(Object.keys(movedTwiceFrom));

			expect(await processesOf(directory)).toEqual([]);
			expect(await readdir(directory)).toEqual([]);
		},
		limitMs,
	);
});

/** The command lines that name a file below `directory`. */
async function processesOf(directory: string): Promise<string[]> {
	const list = ["-A", "-ww", "-o", "args="];
	const { stdout } = await promisify(execFile)("ps", list);
	return stdout.split("\n").filter((line) => line.includes(`${directory}/`));
}
