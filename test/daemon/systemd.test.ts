import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemdNotifier } from "../../src/daemon/systemd.js";

const missing = ["socat", "systemd-notify"].filter(
	(command) => spawnSync("which", [command]).status !== 0,
);
// On a person's machine they may be absent; where the project is proven, they may not (scripts/test.sh).
const skip = missing.length > 0 && process.env.CI !== "true";

let directory: string;
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftd-systemd-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/**
 * Listens as systemd does, on a unix datagram socket; resolves with what was said when `word` is in it. socat keeps the
 * descriptor that systemd-notify waits to see closed (its barrier), so it must end when it has got that.
 */
function listening(
	address: string,
	word: string,
): { heard: Promise<string>; stop(): void } {
	const child = spawn("socat", ["-u", address, "STDOUT"]);
	let text = "";
	const heard = new Promise<string>((resolve, reject) => {
		child.on("error", reject);
		child.stdout.on("data", (chunk) => {
			text += chunk;
			if (text.includes("BARRIER=1")) child.kill();
			if (text.includes(word)) resolve(text);
		});
	});
	return { heard, stop: () => void child.kill() };
}

/** Waits until somebody listens there; the kernel lists abstract names with an @. */
async function bound(name: string): Promise<void> {
	while (!readFileSync("/proc/net/unix", "utf8").includes(name))
		await new Promise((resolve) => setTimeout(resolve, 10));
}

describe.skipIf(skip)("systemd", () => {
	it.each([
		["ready", "READY=1"],
		["stopping", "STOPPING=1"],
	] as const)(
		"hears %s, on a socket with a path and on an abstract one",
		async (state, word) => {
			const path = join(directory, state);
			const abstract = `raftd-${state}-${process.pid}`;
			for (const [address, socket] of [
				[`UNIX-RECV:${path}`, path],
				[`ABSTRACT-RECV:${abstract}`, `@${abstract}`],
			] as const) {
				const { heard, stop } = listening(address, word);
				await bound(socket);
				const failures: Error[] = [];
				const notify = systemdNotifier({
					socket,
					path: process.env.PATH,
					pid: process.pid,
					onFailure: (error) => failures.push(error),
				});
				await notify(state);
				expect(failures).toEqual([]);
				expect(await heard).toContain(word);
				stop();
			}
		},
	);

	it("is told of nothing when it does not listen, and that is no error", async () => {
		const failures: Error[] = [];
		const notify = systemdNotifier({
			socket: undefined,
			path: undefined,
			pid: 1,
			onFailure: (error) => failures.push(error),
		});
		await notify("ready");
		expect(failures).toEqual([]);
	});

	it("that has gone away is reported, and does not stop the node", async () => {
		const failures: Error[] = [];
		const notify = systemdNotifier({
			socket: join(directory, "gone"),
			path: process.env.PATH,
			pid: process.pid,
			onFailure: (error) => failures.push(error),
		});
		await notify("ready");
		expect(failures).toHaveLength(1);
	});
});
