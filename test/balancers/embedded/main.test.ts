import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { embeddedConfig } from "../../../src/balancers/embedded/config.js";
import type {
	EmbeddedBalancerEntry,
	Inventory,
} from "../../../src/config/inventory.js";
import { freePort } from "../../daemon/free-port.js";
import { FakeBackend } from "../../fakes/fake-backend.js";

describe("the embedded balancer's process", () => {
	let directory: string;
	let program: string;
	const children: ChildProcess[] = [];
	const backends: FakeBackend[] = [];

	beforeAll(async () => {
		directory = await mkdtemp(join(tmpdir(), "raftctl-balancer-"));
		program = join(directory, "main.mjs");
		await build({
			entryPoints: [
				join(import.meta.dirname, "../../../src/balancers/embedded/main.ts"),
			],
			bundle: true,
			platform: "node",
			format: "esm",
			outfile: program,
			banner: {
				js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
			},
		});
	});
	afterAll(() => rm(directory, { recursive: true, force: true }));
	afterEach(async () => {
		for (const child of children.splice(0)) child.kill("SIGKILL");
		for (const backend of backends.splice(0)) await backend.stop();
	});

	async function configFor(node: FakeBackend, listen?: string) {
		backends.push(node);
		const config = embeddedConfig({
			id: "c1",
			name: "test",
			nodes: [{ id: node.node, ...node.entry }],
			balancer: {
				kind: "embedded",
				host: "local",
				listen: listen ?? `127.0.0.1:${await freePort()}`,
				admin: `127.0.0.1:${await freePort()}`,
				checkIntervalMs: 20,
			},
			tls: null,
		} as unknown as Inventory & { balancer: EmbeddedBalancerEntry });
		const path = join(directory, "balancer.json");
		await writeFile(path, JSON.stringify(config));
		return { config, path };
	}

	function run(...args: string[]) {
		const child = spawn(process.execPath, [program, ...args], {
			stdio: ["ignore", "pipe", "pipe"],
		});
		children.push(child);
		const output = { out: "", err: "" };
		child.stdout.on("data", (chunk) => {
			output.out += chunk;
		});
		child.stderr.on("data", (chunk) => {
			output.err += chunk;
		});
		const ended = once(child, "close").then(([code]) => code as number);
		const says = async (word: string) => {
			while (!output.out.includes(word)) await once(child.stdout, "data");
		};
		return { child, output, ended, says };
	}

	it("relays to a node, and on SIGTERM lets connections end and ends", async () => {
		const { config, path } = await configFor(
			await new FakeBackend("n1").start(),
		);
		const { child, ended, says, output } = run(path);
		await says("n1 is up");
		const [host, port] = config.listen.split(":");
		const socket = connect(Number(port), host);
		expect(String((await once(socket, "data"))[0])).toBe("n1\n");
		child.kill("SIGTERM");
		await says("no new connections");
		socket.end("last words");
		expect(String((await once(socket, "data"))[0])).toBe("last words");
		expect(await ended).toBe(0);
		for (const line of output.out.trim().split("\n")) JSON.parse(line);
	});

	it("refuses a port that is in use, and says which", async () => {
		const node = await new FakeBackend("n1").start();
		const { path } = await configFor(node, node.entry.client);
		const { ended, output } = run(path);
		expect(await ended).toBe(11);
		expect(output.err).toContain(node.entry.client);
		expect(output.err).toContain("another program listens there");
	});

	it("refuses a configuration with mistakes, and names each", async () => {
		const { config, path } = await configFor(
			await new FakeBackend("n1").start(),
		);
		await writeFile(
			path,
			JSON.stringify({ ...config, listen: "here", holdMs: 0, extra: 1 }),
		);
		const { ended, output } = run(path);
		expect(await ended).toBe(2);
		expect(output.err).toMatch(/listen: .*host:port/);
		expect(output.err).toContain("holdMs");
		expect(output.err).toContain("extra");
	});

	it.each([[[]], [["one", "two"]], [["/nowhere/balancer.json"]]])(
		"ends with code 2 when it is called with %j",
		async (args) => {
			expect(await run(...args).ended).toBe(2);
		},
	);
});
