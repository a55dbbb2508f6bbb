import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import ssh2, { type Connection } from "ssh2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Host } from "../../../src/hosts/host.js";
import { Desk, makeKey } from "./sshd.js";

/** Where the first connection breaks. */
type Break = "before the channel is open" | "before the command is answered";

/** An SSH server that runs what it is told to, and loses its first connection. */
class BreakingServer {
	/** Commands that began. */
	begun = 0;
	connections = 0;
	readonly #server: InstanceType<typeof ssh2.Server>;

	constructor(hostKey: string, where: Break) {
		const hostKeys = [readFileSync(hostKey)];
		this.#server = new ssh2.Server({ hostKeys }, (client) => {
			const isFirst = ++this.connections === 1;
			client.on("error", () => {});
			client.on("authentication", (context) => context.accept());
			client.on("session", (accept) => {
				if (isFirst && where === "before the channel is open")
					return void client.end();
				this.#serve(accept(), isFirst ? client : null);
			});
		});
	}

	async listen(): Promise<number> {
		this.#server.listen(0, "127.0.0.1");
		await once(this.#server, "listening");
		return (this.#server.address() as AddressInfo).port;
	}

	async close(): Promise<void> {
		await new Promise<void>((closed) => this.#server.close(() => closed()));
	}

	/** `broken` is a connection that ends before the answer to its first command. */
	#serve(session: ssh2.Session, broken: Connection | null): void {
		session.on("exec", (accept, _reject, { command }) => {
			this.begun += 1;
			if (broken !== null) return void broken.end();
			const channel = accept();
			const child = spawn("sh", ["-c", command]);
			channel.pipe(child.stdin);
			child.stdout.pipe(channel, { end: false });
			child.stderr.pipe(channel.stderr, { end: false });
			child.once("close", (code) => {
				channel.exit(code ?? 1);
				channel.end();
			});
		});
	}
}

describe("a command whose connection breaks at its beginning", () => {
	let desk: Desk;
	let server: BreakingServer;

	beforeEach(() => {
		desk = new Desk();
	});
	afterEach(async () => {
		await desk.close();
		await server.close();
	});

	async function hostThatBreaks(where: Break): Promise<Host> {
		const key = join(desk.directory, "host_key");
		makeKey(key, {});
		server = new BreakingServer(key, where);
		const port = await server.listen();
		const [kind, text] = readFileSync(`${key}.pub`, "utf8").split(" ");
		desk.know(`[127.0.0.1]:${port} ${kind} ${text}\n`);
		return desk.hosts({ h1: port }).host("h1", null);
	}

	it("runs over a new connection when the host was not asked yet", async () => {
		const host = await hostThatBreaks("before the channel is open");
		const { stdout } = await host.run(["echo", "once"], { timeoutMs: 30_000 });
		expect(stdout).toBe("once\n");
		expect(server).toMatchObject({ begun: 1, connections: 2 });
	});

	it("is not repeated once the host was asked: it may have run", async () => {
		const host = await hostThatBreaks("before the command is answered");
		const run = host.run(["echo", "once"], { timeoutMs: 30_000 });
		await expect(run).rejects.toMatchObject({
			...{ kind: "unreachable", isLasting: false },
			message: expect.stringContaining("the connection broke while"),
			state: "whether that was done to its end is not known",
		});
		expect(server).toMatchObject({ begun: 1, connections: 1 });
	});
});
