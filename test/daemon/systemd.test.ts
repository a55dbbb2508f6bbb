import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
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
 * Listens as systemd does, on a unix datagram socket; resolves with what was said when `until` is in it. socat keeps
 * the descriptor that systemd-notify waits to see closed, so it must end then.
 */
function listening(address: string, until: string): Promise<string> {
	const child = spawn("socat", ["-u", address, "STDOUT"]);
	let text = "";
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.stdout.on("data", (chunk) => {
			text += chunk;
			if (!text.includes(until)) return;
			child.kill();
			resolve(text);
		});
	});
}

describe.skipIf(skip)("systemd", () => {
	it.each([
		["ready", "READY=1"],
		["stopping", "STOPPING=1"],
	] as const)("hears %s on a socket with a path", async (state, word) => {
		const socket = join(directory, state);
		const heard = listening(`UNIX-RECV:${socket}`, word);
		while (!existsSync(socket))
			await new Promise((resolve) => setTimeout(resolve, 10));
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
	});

	it("hears on an abstract socket", async () => {
		const name = `raftd-test-${process.pid}`;
		const heard = listening(`ABSTRACT-RECV:${name}`, "READY=1");
		const failures: Error[] = [];
		const notify = systemdNotifier({
			socket: `@${name}`,
			path: process.env.PATH,
			pid: process.pid,
			onFailure: (error) => failures.push(error),
		});
		// The receiver has no file to wait for: until it is there, the notifier reports failures.
		do {
			failures.length = 0;
			await notify("ready");
		} while (failures.length > 0);
		expect(await heard).toContain("READY=1");
	});

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
