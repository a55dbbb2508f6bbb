import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SshHosts } from "../../src/hosts/ssh/ssh-hosts.js";
import { systemdService, unitOf } from "../../src/hosts/systemd-service.js";
import type { Lab } from "./lab.js";
import type { HostName } from "./names.js";
import { theLab } from "./the-lab.js";

/** Hosts over SSH and services of systemd on whole machines, with what can happen to machines. */
let lab: Lab;
let hosts: SshHosts;
const directory = mkdtempSync(join(tmpdir(), "raftctl-lab-hosts-"));
const timeoutMs = 60_000;
const name: HostName = "h5";

/** Afresh: who was told that a host is dead believes it for a while. */
function open(connectTimeoutMs = 30_000): SshHosts {
	const address = lab.address(name);
	const { user, identityFile, knownHosts } = lab.access;
	const own = { user: null, port: null, identityFiles: null, jump: null };
	return new SshHosts(
		{
			hosts: [{ name, address, ssh: { address, ...own } }],
			ssh: {
				...{ user, identityFiles: [identityFile], config: null, jump: null },
				...{ knownHosts: [knownHosts], hostKeys: "strict", connectTimeoutMs },
			},
		},
		{
			...{ home: directory, user: "nobody", agentSocket: null },
			askPassphrase: async () => null,
		},
	);
}

beforeAll(async () => {
	lab = await theLab();
	await lab.replace(name);
	hosts = open();
});
afterEach(async () => {
	await hosts.close();
	await lab.heal();
	await lab.up([name]);
	hosts = open();
});
afterAll(async () => {
	await hosts.close();
	rmSync(directory, { recursive: true, force: true });
});

describe("a daemon as a unit of a real systemd", () => {
	const unit = unitOf("labhosts", "n1");
	const user = "raftd-labhosts";

	it("is started, seen, stopped and killed by an account that is not root, and its log is read", async () => {
		const host = await hosts.host(name, null);
		const root = async (...argv: readonly string[]) => {
			const words = ["sudo", "-n", ...argv];
			const { exitCode, stderr } = await host.run(words, { timeoutMs });
			expect([exitCode, stderr]).toEqual([0, ""]);
		};
		await root("groupadd", "--force", "--system", "raftd");
		await root(
			"useradd",
			...["--system", "--no-create-home"],
			...[
				...["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"],
				...["--gid", "raftd", user],
			],
		);
		const daemon = await hosts.host(name, user);
		const who = await daemon.run(["id", "-un"], { timeoutMs });
		expect(who.stdout).toBe(`${user}\n`);
		// Never READY, slow to stop, and started again whenever it is gone.
		const program =
			"trap 'sleep 1; exit 0' TERM; echo hello; while :; do sleep 0.1; done";
		await host.run(
			[
				...["sudo", "-n", "install", "-m", "0644", "/dev/stdin"],
				`/etc/systemd/system/${unit}`,
			],
			{
				timeoutMs,
				stdin: Buffer.from(
					`[Service]\nType=notify\nTimeoutStartSec=600\nUser=${user}\nExecStart=/bin/sh -c "${program}"\nRestart=always\n`,
				),
			},
		);
		await root("systemctl", "daemon-reload");
		const service = systemdService({ name: "n1", unit, host });
		expect(await service.state()).toEqual({ running: false, exit: null });
		await service.start();
		const state = await service.state();
		expect(state).toMatchObject({ running: true });
		await service.start();
		expect(await service.state()).toEqual(state);
		expect(await service.logTail(50)).toContain("hello");
		await expect(service.stop(200)).rejects.toMatchObject({ kind: "timeout" });
		await service.stop(30_000);
		expect(await service.state()).toMatchObject({ running: false });
		await service.start();
		await service.kill();
		expect(await service.state()).toMatchObject({
			...{ running: false, exit: "signal 9" },
		});
		await root("rm", "-f", `/etc/systemd/system/${unit}`);
		await root("systemctl", "daemon-reload");
	});
});

describe("a host to which things happen", () => {
	const source = join(directory, "release");
	const path = "/tmp/release";
	beforeAll(() => writeFileSync(source, Buffer.alloc(48_000_000, "raftctl ")));

	it("has an upload go on when its sshd died in the middle", async () => {
		const host = await hosts.host(name, null);
		let restarted: Promise<void> | null = null;
		const sent = await host
			.send(path, source, 0o644, {
				onProgress: (bytes) => {
					if (bytes < 8_000_000) return;
					restarted ??= lab.stopSsh(name).then(() => lab.startSsh(name));
				},
			})
			.catch((error: unknown) => error);
		await restarted;
		// It may have been away for longer than an upload is patient; what had arrived is there all the same.
		const again = await open().host(name, null);
		const rest = await again.send(path, source, 0o644);
		expect(rest.sentBytes).toBeLessThan(48_000_000);
		if (!(sent instanceof Error)) expect(rest.present).toBe(true);
		const { stdout } = await again.run(["stat", "-c", "%s", path], {
			timeoutMs,
		});
		expect(stdout).toBe("48000000\n");
	});

	it("that loses its power fails what runs, says so, and is worked on again when it is back", async () => {
		const host = await hosts.host(name, null);
		await host.run(["true"], { timeoutMs });
		const running = host
			.run(["sleep", "600"], { timeoutMs: 600_000 })
			.catch((error: unknown) => error);
		await lab.powerOff(name);
		expect(await running).toMatchObject({ kind: "unreachable", node: name });
		await lab.boot(name);
		const { stdout } = await (await open().host(name, null)).run(
			["echo", "back"],
			{ timeoutMs },
		);
		expect(stdout).toBe("back\n");
	});

	it("that is cut off costs each asker one limit", async () => {
		await lab.cut(name, { from: "operator" });
		const lost = open(2_000);
		const host = await lost.host(name, null);
		const asked = Array.from({ length: 5 }, () =>
			host.run(["true"], { timeoutMs }).catch((error: unknown) => error),
		);
		for (const error of await Promise.all(asked))
			expect(error).toMatchObject({
				...{ kind: "unreachable", node: name },
				message: expect.stringContaining("did not answer within 2000 ms"),
			});
		await lost.close();
	});

	it("that freezes keeps nobody waiting beyond the command's own limit", async () => {
		const host = await hosts.host(name, null);
		await host.run(["true"], { timeoutMs });
		await lab.freeze(name);
		await expect(
			host.run(["true"], { timeoutMs: 1_000 }),
		).rejects.toMatchObject({ kind: "timeout", node: name });
		await lab.thaw(name);
		const { exitCode } = await host.run(["true"], { timeoutMs });
		expect(exitCode).toBe(0);
	});
});
