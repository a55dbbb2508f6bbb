import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HookOrder, runHook } from "../../../src/daemon/backup/hook.js";
import { eventually } from "../../e2e/local-cluster.js";

let directory: string;

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "hook-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A shell of its own here, to write small commands down: raftd uses none. */
function order(script: string, changes: Partial<HookOrder> = {}): HookOrder {
	return {
		...{ node: "n1", command: ["/bin/sh", "-c", script], directory },
		environment: { PATH: process.env.PATH ?? "", RAFTCTL_INDEX: "7" },
		...{ limitMs: 20_000, ...changes },
	};
}

const never = new AbortController().signal;

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

describe("the command of a schedule", () => {
	it("finds its environment, and runs in the schedule's directory", async () => {
		await runHook(order('echo "$RAFTCTL_INDEX" > told'), never);
		expect(readFileSync(join(directory, "told"), "utf8")).toBe("7\n");
	});

	it("gets its arguments as they are, without a shell", async () => {
		const script = join(directory, "hook.sh");
		writeFileSync(script, '#!/bin/sh\nprintf %s "$1" > told\n', {
			mode: 0o700,
		});
		const command = [script, "$HOME `id` ; exit 3"];
		await runHook(order("", { command }), never);
		expect(readFileSync(join(directory, "told"), "utf8")).toBe(command[1]);
	});

	it("that fails is told with the end of what it said, and without its arguments", async () => {
		const script =
			"i=0; while [ $i -lt 3000 ]; do echo noise >&2; i=$((i+1)); done; echo 'bucket is   gone' >&2; exit 3 # secret";
		const error = await runHook(order(script), never).catch((each) => each);
		expect(error.message).toMatch(
			/^the command \/bin\/sh on n1 ended with 3: … .*bucket is gone$/,
		);
		expect(error.message).not.toContain("secret");
		expect(error.message.length).toBeLessThan(500);
	});

	it("that is not there is told so", async () => {
		const command = ["/no/such/program"];
		await expect(runHook(order("", { command }), never)).rejects.toThrow(
			"the command /no/such/program on n1 could not be started: spawn /no/such/program ENOENT",
		);
	});

	it("that hangs is ended with all that it has started", async () => {
		const script =
			"trap '' TERM; sleep 600 & echo $! > child; echo $$ > self; wait; wait";
		await expect(
			runHook(order(script, { limitMs: 300 }), never),
		).rejects.toThrow(/^the command \/bin\/sh on n1 still ran after 0 s/);
		for (const name of ["child", "self"]) {
			const pid = Number(readFileSync(join(directory, name), "utf8"));
			await eventually(async () => !isAlive(pid), `the end of ${name}`);
		}
	});

	it("ends when the node leads no more", async () => {
		const stop = new AbortController();
		const running = runHook(order("echo $$ > self; sleep 600"), stop.signal);
		const pid = await eventually(
			async () =>
				Number(
					await Promise.resolve()
						.then(() => readFileSync(join(directory, "self"), "utf8"))
						.catch(() => "0"),
				) || null,
			"the command",
		);
		stop.abort(new Error("no longer leads"));
		await expect(running).rejects.toThrow("no longer leads");
		await eventually(async () => !isAlive(pid), "the end of the command");
	});

	it("is not waited for when what it left behind holds its standard error", async () => {
		await runHook(order("sleep 600 & echo $! > child; exit 0"), never);
		await sleep(0);
		const pid = Number(readFileSync(join(directory, "child"), "utf8"));
		expect(isAlive(pid)).toBe(true);
		process.kill(pid, "SIGKILL");
	});
});
