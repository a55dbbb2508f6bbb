import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
	openSystemd,
	type Systemd,
	watchdogBeatMs,
} from "../../src/daemon/systemd.js";
import { Raftd, writeCluster } from "./raftd-process.js";

const missing = ["perl", "systemd-notify"].filter(
	(command) => spawnSync("which", [command]).status !== 0,
);
// On a person's machine they may be absent; where the project is proven, they may not (scripts/test.sh).
const skip = missing.length > 0 && process.env.CI !== "true";

const directory = mkdtempSync(join(tmpdir(), "raftd-systemd-"));
const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0).reverse()) close();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/**
 * Listens as systemd does, on a unix datagram socket, and lets go of the descriptors that come with a message, which
 * systemd-notify waits for (its barrier).
 */
class Listener {
	readonly #child: ChildProcess;
	#text = "";

	constructor(socket: string) {
		const program = `(my $name = shift) =~ s/^@/\\0/;
			socket(my $in, AF_UNIX, SOCK_DGRAM, 0) or die;
			bind($in, pack_sockaddr_un($name)) or die "$!";
			syswrite(STDOUT, "$_\\n") while defined(recv($in, $_, 65536, 0));`;
		this.#child = spawn("perl", ["-MSocket", "-e", program, socket]);
		this.#child.stdout?.on("data", (chunk) => {
			this.#text += chunk;
		});
		closing.push(() => this.#child.kill());
	}

	get lines(): string[] {
		return this.#text
			.split("\n")
			.filter((line) => line !== "" && line !== "BARRIER=1");
	}

	count(word: string): number {
		return this.lines.filter((line) => line === word).length;
	}
}

/** Waits until somebody listens there; the kernel lists abstract names with an @. */
async function listening(socket: string): Promise<Listener> {
	const listener = new Listener(socket);
	await until(() => readFileSync("/proc/net/unix", "utf8").includes(socket));
	return listener;
}

async function until(isSo: () => boolean): Promise<void> {
	while (!isSo()) await sleep(10);
}

function open(
	socket: string | undefined,
	more: { path?: string | undefined; watchdogUsec?: string } = {},
): { systemd: Systemd; failures: string[] } {
	const failures: string[] = [];
	const systemd = openSystemd({
		...{ socket, pid: process.pid, path: process.env.PATH },
		...{ watchdogUsec: undefined, watchdogPid: undefined },
		onFailure: ({ message }) => failures.push(message),
		...more,
	});
	closing.push(() => systemd.close());
	return { systemd, failures };
}

/** Programs as on a machine without perl. */
let withoutPerl: string;
beforeAll(() => {
	withoutPerl = join(directory, "bin");
	mkdirSync(withoutPerl);
	const { stdout } = spawnSync("which", ["systemd-notify"]);
	symlinkSync(stdout.toString().trim(), join(withoutPerl, "systemd-notify"));
});

describe.skipIf(skip)("systemd", () => {
	it.each([
		["perl", process.env.PATH],
		["systemd-notify", undefined],
	])(
		"hears by way of %s, on a socket with a path and on an abstract one, that a node serves and that it stops",
		async (speaker, path = withoutPerl) => {
			const sockets = [
				join(directory, speaker),
				`@raftd-${speaker}-${process.pid}`,
			];
			for (const socket of sockets) {
				const listener = await listening(socket);
				const { systemd, failures } = open(socket, { path });
				systemd.ready(() => "follower of n1 in term 7");
				await until(() => listener.lines.length === 3);
				systemd.stopping();
				await until(() => listener.lines.length === 4);
				expect(listener.lines).toEqual([
					`MAINPID=${process.pid}`,
					"READY=1",
					"STATUS=follower of n1 in term 7",
					"STOPPING=1",
				]);
				expect(failures).toEqual([]);
			}
		},
	);

	it("is told of nothing when it does not listen, and that is no error", () => {
		const { systemd, failures } = open(undefined);
		systemd.ready(() => "");
		systemd.stopping();
		expect(failures).toEqual([]);
	});

	it("that has gone away is reported, does not stop the node, and is told all that holds when it is back", async () => {
		const socket = join(directory, "gone");
		const { systemd, failures } = open(socket, { watchdogUsec: "150000" });
		systemd.ready(() => "leader in term 2");
		await until(() => failures.length > 1);
		expect(failures[0]).toContain(socket);
		const listener = await listening(socket);
		await until(() => listener.count("WATCHDOG=1") > 1);
		expect(listener.lines.slice(0, 3)).toEqual([
			`MAINPID=${process.pid}`,
			"READY=1",
			"STATUS=leader in term 2",
		]);
	});

	it("is told at each beat what has changed, and only that", async () => {
		const socket = join(directory, "status");
		const listener = await listening(socket);
		let status = "candidate in term 1";
		const { systemd } = open(socket, { watchdogUsec: "150000" });
		systemd.ready(() => status);
		await until(() => listener.count("WATCHDOG=1") >= 3);
		status = "leader in term 1";
		await until(() => listener.count("STATUS=leader in term 1") > 0);
		await until(() => listener.count("WATCHDOG=1") >= 6);
		expect(listener.lines.filter((line) => line.startsWith("STATUS="))).toEqual(
			["STATUS=candidate in term 1", "STATUS=leader in term 1"],
		);
	});
});

describe("the watchdog", () => {
	it.each([
		["a third of the time that systemd grants", "9000000", "1234", 3000],
		[
			"the same where it does not say whom it means",
			"9000000",
			undefined,
			3000,
		],
		["no beat where it means another process", "9000000", "1235", null],
		["no beat where there is none", undefined, "1234", null],
		["no beat where there is none any more", "0", "1234", null],
		["no beat for what is no number", "soon", "1234", null],
	])("gets %s", (_, watchdogUsec, watchdogPid, beatMs) => {
		expect(watchdogBeatMs({ watchdogUsec, watchdogPid, pid: 1234 })).toBe(
			beatMs,
		);
	});
});

describe.skipIf(skip)("raftd under systemd", () => {
	const periodMs = 60;

	async function serving(name: string) {
		const socket = join(directory, `${name}.socket`);
		const listener = await listening(socket);
		const [node] = await writeCluster(join(directory, name), ["n1"]);
		const raftd = new Raftd(["--config", node?.path ?? ""], {
			NOTIFY_SOCKET: socket,
			WATCHDOG_USEC: String(periodMs * 3 * 1000),
		});
		closing.push(() => raftd.kill("SIGKILL"));
		await raftd.until(() => listener.count("WATCHDOG=1") > 2);
		const { pid } = raftd.child;
		const children = `/proc/${pid}/task/${pid}/children`;
		const voice = Number(readFileSync(children, "utf8").trim());
		expect(voice).toBeGreaterThan(0);
		return { listener, raftd, voice };
	}

	it("says what it is, and beats only while its event loop turns", async () => {
		const { listener, raftd } = await serving("beating");
		await raftd.until(() =>
			listener.lines.some((line) => /^STATUS=leader in term \d+$/.test(line)),
		);
		expect(listener.lines).toContain("READY=1");
		raftd.kill("SIGSTOP");
		// What was under way when it stopped has arrived by then.
		await sleep(3 * periodMs);
		const beats = listener.count("WATCHDOG=1");
		await sleep(10 * periodMs);
		expect(listener.count("WATCHDOG=1")).toBe(beats);
		raftd.kill("SIGCONT");
		await raftd.until(() => listener.count("WATCHDOG=1") > beats);
		await raftd.destroy();
	});

	it("says that it stops although its voice was sent the signal, too", async () => {
		const { listener, raftd, voice } = await serving("stopping");
		process.kill(voice, "SIGTERM");
		raftd.kill("SIGTERM");
		expect((await raftd.ended).code).toBe(0);
		await until(() => listener.count("STOPPING=1") > 0);
	});

	it("leaves no voice behind when it is killed", async () => {
		const { raftd, voice } = await serving("killed");
		await raftd.destroy();
		await until(() => !existsSync(`/proc/${voice}`));
	});

	it("gets a new voice when the old one is killed", async () => {
		const { listener, raftd, voice } = await serving("mute");
		const beats = listener.count("WATCHDOG=1");
		process.kill(voice, "SIGKILL");
		await raftd.until(() => listener.count("WATCHDOG=1") > beats + 2);
		await raftd.destroy();
	});
});
