import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	type AgentCheck,
	type AgentVerdict,
	startAgentCheck,
} from "../../../src/daemon/admin/agent-check.js";
import { freePort } from "../free-port.js";

const found = spawnSync("which", ["haproxy"], {
	env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
	encoding: "utf8",
}).stdout.trim();
// On a person's machine HAProxy may be absent; where the project is proven, it may not (scripts/test.sh).
const skip = found === "" && process.env.CI !== "true";

const ready: AgentVerdict = { state: "ready", failed: [] };
const draining: AgentVerdict = { state: "draining", failed: ["not-draining"] };
const unready: AgentVerdict = {
	state: "unready",
	failed: ["leader-known", "caught-up"],
};

/** Everything the port says until it closes. */
function ask(port: number, send = ""): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(port, "127.0.0.1", () => socket.write(send));
		let text = "";
		socket.setEncoding("utf8");
		socket.on("data", (chunk) => {
			text += chunk;
		});
		socket.on("end", () => resolve(text));
		socket.on("error", reject);
	});
}

describe("the agent-check port", () => {
	it("tells whoever connects one line, and closes", async () => {
		const port = await freePort();
		let verdict = ready;
		const agent = await startAgentCheck({
			address: `127.0.0.1:${port}`,
			verdict: () => verdict,
		});
		expect(await ask(port)).toBe("up ready\n");
		verdict = draining;
		expect(await ask(port, "hello\n")).toBe("up drain\n");
		verdict = unready;
		expect(await ask(port)).toBe("down #leader-known, caught-up\n");
		await agent.close();
		await expect(ask(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
	});
});

describe.skipIf(skip)("HAProxy", () => {
	let directory: string;
	let haproxy: ChildProcess;
	let backend: Server;
	let agent: AgentCheck;
	let frontPort: number;
	let statsPort: number;
	let verdict = ready;

	beforeAll(async () => {
		directory = mkdtempSync(join(tmpdir(), "raftd-haproxy-"));
		const agentPort = await freePort();
		const backendPort = await freePort();
		frontPort = await freePort();
		statsPort = await freePort();
		backend = createHttpServer((_request, response) => response.end("served"));
		await new Promise<void>((resolve) =>
			backend.listen(backendPort, "127.0.0.1", () => resolve()),
		);
		agent = await startAgentCheck({
			address: `127.0.0.1:${agentPort}`,
			verdict: () => verdict,
		});
		const path = join(directory, "haproxy.cfg");
		writeFileSync(
			path,
			`defaults
	mode http
	timeout connect 1s
	timeout client 5s
	timeout server 5s
frontend front
	bind 127.0.0.1:${frontPort}
	default_backend nodes
backend nodes
	server n1 127.0.0.1:${backendPort} check inter 50ms agent-check agent-port ${agentPort} agent-inter 50ms
listen stats
	bind 127.0.0.1:${statsPort}
	stats enable
	stats uri /
`,
		);
		haproxy = spawn(found, ["-f", path, "-db"], { stdio: "ignore" });
	});

	afterAll(async () => {
		const gone = new Promise((resolve) => haproxy?.once("exit", resolve));
		haproxy?.kill("SIGKILL");
		await gone;
		backend?.closeAllConnections();
		backend?.close();
		await agent?.close();
		rmSync(directory, { recursive: true, force: true });
	});

	/** The state of the one server, as the statistics page shows it. */
	async function shown(): Promise<string> {
		const page = await fetch(`http://127.0.0.1:${statsPort}/;csv`).catch(
			() => null,
		);
		if (page === null) return "not running";
		const [head = "", ...rows] = (await page.text()).split("\n");
		const column = head.replace(/^# /, "").split(",").indexOf("status");
		const row = rows.find((one) => one.startsWith("nodes,n1,"));
		return row?.split(",")[column] ?? "unknown";
	}

	/** The limit of the wait is the test's own. */
	async function until(status: RegExp): Promise<void> {
		while (!status.test(await shown()))
			await new Promise((resolve) => setTimeout(resolve, 20));
	}

	const served = async () =>
		(await fetch(`http://127.0.0.1:${frontPort}/`)).status;

	it("sends requests to a ready node, none to a draining or an unready one, and takes it back", async () => {
		await until(/^UP/);
		expect(await served()).toBe(200);
		verdict = draining;
		await until(/^DRAIN/);
		expect(await served()).toBe(503);
		verdict = ready;
		await until(/^UP/);
		expect(await served()).toBe(200);
		verdict = unready;
		await until(/^DOWN/);
		expect(await served()).toBe(503);
		// From down straight to draining: what is connected must be served, so the node is up again.
		verdict = draining;
		await until(/^DRAIN/);
		verdict = ready;
		await until(/^UP/);
		expect(await served()).toBe(200);
	});
});
