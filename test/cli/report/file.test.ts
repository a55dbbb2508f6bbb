import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canaryUse } from "../../../src/cli/flags.js";
import { ReportFile } from "../../../src/cli/report-file.js";
import { failureOf } from "../../operations/operating.js";
import { raftctl } from "../raftctl.js";

let directory: string;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-"));
});

afterEach(() => rm(directory, { recursive: true }));

const valid = "name: demo\nid: demo-1\nnodes: [n1, n2, n3]\n";

describe("the file of --report", () => {
	it("says from the start on that the operation did not end, over what was there", async () => {
		const path = join(directory, "roll.md");
		await writeFile(path, "**Done.** by an earlier roll\n".repeat(100));
		const report = await ReportFile.open(path, "rolling-restart");
		expect(await readFile(path, "utf8")).toContain("**Not ended.**");
		expect(await readFile(path, "utf8")).not.toContain("earlier");
		report.observe({ type: "warning", node: null, message: "mind the gap" });
		await report.end({ how: "done" });
		const text = await readFile(path, "utf8");
		expect(text).toContain("**Done.**");
		expect(text).toContain("mind the gap");
	});

	it.each([["report.txt"], ["report"], ["no/such/directory/report.xml"]])(
		"is refused before anything is touched when it cannot be %s",
		async (name) => {
			const error = await failureOf(
				ReportFile.open(join(directory, name), "up"),
			);
			expect(error.kind).toBe("usage");
			expect(error.state).toBe("nothing was touched");
		},
	);

	it("is looked at before the cluster, and ends the command with 2", async () => {
		await writeFile(join(directory, "cluster.yaml"), valid);
		const argv = ["rolling-restart", "--yes", "--report", "no/such/a.xml"];
		const { code, stderr } = await raftctl(argv, { directory });
		expect(stderr).toContain("the report cannot be written");
		expect(code).toBe(2);
	});

	it("tells of an operation that failed as well, with its error", async () => {
		await writeFile(join(directory, "cluster.yaml"), valid);
		const argv = ["rolling-restart", "--yes", "--report", "a.xml"];
		const { code } = await raftctl(argv, { directory });
		const text = await readFile(join(directory, "a.xml"), "utf8");
		expect(text).toMatch(
			/<error message="[^"]+" type="(refused|unreachable)">/,
		);
		expect([11, 20]).toContain(code);
	});

	it("is not written by what only shows the plan", async () => {
		await writeFile(join(directory, "cluster.yaml"), valid);
		const argv = ["rolling-restart", "--dry-run", "--report", "a.xml"];
		await raftctl(argv, { directory });
		await expect(readFile(join(directory, "a.xml"))).rejects.toThrow("ENOENT");
	});
});

describe("the canary's flags", () => {
	const none = {
		...{ canary: false, "max-failed": undefined },
		...{ "max-stall": undefined, "max-leaderless": undefined },
	};

	it("ask for none by default, so that resume keeps the one that the operation began with", () => {
		expect(canaryUse(none)).toEqual({});
	});

	it("ask for one by any budget, a limit of none included", () => {
		expect(canaryUse({ ...none, "max-failed": 0 })).toEqual({
			wish: {
				budgets: { maxFailed: 0, maxStallMs: null, maxLeaderlessMs: null },
			},
		});
		expect(canaryUse({ ...none, canary: true }).wish).toBeDefined();
	});
});
