import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { localHost } from "../../../src/hosts/local.js";
import {
	lookScript,
	parseLook,
} from "../../../src/operations/host-checks/look-script.js";

const directory = mkdtempSync(join(tmpdir(), "raftctl-look-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function look(state: string, port = 1) {
	const hex = port.toString(16).toUpperCase().padStart(4, "0");
	const { exitCode, stdout } = await localHost().run(
		["sh", "-c", lookScript, "look", "nobody-of-that-name", state, hex],
		{ timeoutMs: 30_000 },
	);
	expect(exitCode).toBe(0);
	return parseLook(stdout);
}

describe("a look at a host", () => {
	it("finds what this machine is like, and leaves nothing behind", async () => {
		const seen = await look(join(directory, "not", "there", "yet"));
		expect(seen).toMatchObject({
			login: userInfo().username,
			...{ isRoot: userInfo().uid === 0, kernel: "Linux" },
			arch: { x64: "x86_64", arm64: "aarch64" }[process.arch as string],
			glibc: expect.stringMatching(/^2\.\d+$/),
			nodeJs: expect.stringMatching(/^v\d+/),
		});
		expect(seen.availableMemoryBytes).toBeGreaterThan(1024 * 1024);
		expect(seen.freeBytes).toBeGreaterThan(0);
		expect(seen.syncMs).toBeGreaterThan(0);
		expect(readdirSync(directory)).toEqual([]);
	});

	it("finds who listens on a node's port, and on no other", async () => {
		const servers = [createServer(), createServer()];
		const [port = 0] = await Promise.all(
			servers.map(
				(server) =>
					new Promise<number>((resolve) =>
						server.listen(0, "127.0.0.1", () => {
							const address = server.address();
							resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
						}),
					),
			),
		);
		const { listeners } = await look(directory, port);
		expect(listeners).toEqual([
			{
				local: `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`,
				account: userInfo().username,
				program: expect.any(String),
			},
		]);
		for (const server of servers) server.close();
	});

	it("is read with what is missing as not known", () => {
		const seen = parseLook(
			"uid 1000\nlogin deploy\nglibc \nnode \nsystemd \nmemory \nfree x\ndenied systemctl start a\ndenied -u raftd-a\nnosudo yes\n",
		);
		expect(seen).toEqual({
			...{ login: "deploy", isRoot: false, kernel: "", arch: "" },
			...{ glibc: null, nodeJs: null, systemdVersion: null },
			...{ availableMemoryBytes: null, freeBytes: null, syncMs: null },
			...{ listeners: [], denied: ["systemctl start a", "-u raftd-a"] },
			...{ hasSudo: false, hasPerl: false },
		});
	});
});
