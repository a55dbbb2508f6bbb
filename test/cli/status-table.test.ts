import { describe, expect, it } from "vitest";
import { statusText } from "../../src/cli/status-table.js";
import { status } from "../../src/operations/status.js";
import { operating } from "../operations/operating.js";

const stoppedRoll = {
	...{ id: "t1-a", unfinished: true, pauseRequested: false },
	...{ beganAtMs: 0, updatedAtMs: 9_000 },
	record: JSON.stringify({
		...{ version: 1, id: "t1-a", operation: "rolling-restart" },
		...{ text: "rolling-restart", state: "stopped", step: "n2/drain" },
		attempts: [{ as: "begin", holder: "bob@ci:7", atMs: 0 }],
	}),
};

describe("the text of status", () => {
	it("shows a healthy cluster in one look", async () => {
		const { cluster, context } = operating();
		cluster.connect(12, "n2");
		const lines = statusText(await status(context), 0).split("\n");
		expect(lines[0]).toBe(
			"cluster test is healthy · leader n1 · 3 of 3 voters sound, quorum 2 · 1 more voter may fail",
		);
		expect(lines[2]).toMatch(/^NODE +MEMBER +ROLE +TERM .* RELEASE$/);
		expect(lines[3]).toMatch(/^n1 +voter +leader +3 +1000 +1000 +0 +0 +yes/);
		expect(lines[4]).toMatch(/^n2 +voter +follower .* 12 +yes +0\.1\.0$/);
		expect(lines).toContain(
			"  n2: yes, n1, n3 remain: 2 of 3 voters, quorum 2",
		);
	});

	it("shows a silent node, what follows from it, and a holder that is gone", async () => {
		const { clock, cluster, context } = operating();
		cluster.stop("n3");
		await clock.sleep(30_000);
		cluster.lock = {
			holder: "bob@ci:7",
			host: "ci",
			nonce: "",
			operation: "rolling-restart",
			step: "n2/drain",
			fencingToken: 1,
			acquiredAtMs: 0,
			expiresAtMs: 20_000,
		};
		const text = statusText(await status(context), 30_000);
		expect(text).toContain("UNHEALTHY");
		expect(text).toContain("no voter may fail");
		expect(text).toMatch(/n3 +voter +silent/);
		expect(text).toContain("n2: NO, n1 would remain");
		expect(text).toContain(
			"rolling-restart by bob@ci:7 since 1970-01-01T00:00:00.000Z, expired; its holder is gone, at n2/drain",
		);
		expect(text).toContain("problems:\n  n3 ");
	});

	it("shows an operation that nobody has in hand, with the commands that go on", async () => {
		const { cluster, context } = operating();
		cluster.operations = [stoppedRoll];
		const text = statusText(await status(context), 30_000);
		expect(text).toContain(
			"operation:\n  rolling-restart (t1-a) is stopped at n2/drain; bob@ci:7 had it in hand last\n  next: raftctl operation resume -c cluster.yaml, or raftctl operation abort -c cluster.yaml",
		);
	});

	it("shows what the cluster saves by itself: when last, and that it failed since", async () => {
		const { cluster, context } = operating();
		cluster.schedule = {
			...{ intervalMs: 6 * 3_600_000, keep: 7, directory: "/backup" },
			...{ command: [], s3: null },
		};
		const never = statusText(await status(context), 0);
		expect(never).toContain("every 6 h, 7 kept in /backup\n  none has gone");
		cluster.scheduled = {
			...{ succeededAtMs: -3_600_000, index: 900, node: "n2", bytes: 1 },
			...{ file: "/backup/a.snap", attemptedAtMs: -60_000, fault: "no room" },
		};
		const text = statusText(await status(context), 0);
		expect(text).toContain("index 900, by n2, 1 h ago: /backup/a.snap");
		expect(text).toContain("FAILED 1 m 0 s ago: no room");
		expect(text).toContain("problems:\n  the last scheduled snapshot failed");
	});
});
