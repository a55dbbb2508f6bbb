import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Lab } from "./lab.js";
import { answersSsh } from "./machine.js";
import { allHosts, type HostName, nodeHosts } from "./names.js";
import { attempt, type ProgramResult } from "./program.js";
import { theLab } from "./the-lab.js";
import { until } from "./until.js";

let lab: Lab;

beforeAll(async () => {
	lab = await theLab();
});

/** As the operator does, with the real client. */
function ssh(
	host: HostName,
	command: string,
	...options: readonly string[]
): Promise<ProgramResult> {
	return attempt([
		...["ssh", "-F", lab.access.config, "-o", "BatchMode=yes"],
		...["-o", "ConnectTimeout=2", ...options, host, command],
	]);
}

async function hears(from: HostName, to: HostName): Promise<boolean> {
	const script = "exec 3<>/dev/tcp/$1/22 && read -t 1 -u 3";
	const { exitCode } = await lab.exec(from, [
		...["timeout", "1", "bash", "-c", script, "sh", to],
	]);
	return exitCode === 0;
}

/** Once a cut has healed: who did not answer is asked for again only after a while. */
function hearsAgain(from: HostName, to: HostName): Promise<void> {
	return until(() => hears(from, to), 30_000, {
		what: `${from} to hear ${to}`,
	});
}

async function inside(host: HostName, script: string): Promise<string> {
	const { exitCode, stdout, stderr } = await lab.exec(host, [
		...["sh", "-euc", script],
	]);
	expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
	return stdout.trim();
}

describe("the machines", () => {
	it.each(allHosts)("%s boots, and nothing in it has failed", async (host) => {
		const { stdout } = await lab.exec(host, [
			...["systemctl", "is-system-running", "--wait"],
		]);
		expect(stdout).toBe("running");
		expect(await inside(host, "hostname")).toBe(host);
	});

	it("let the operator in by name, with known keys and as an account that is not root", async () => {
		const answers = await Promise.all(
			nodeHosts.map((host) => ssh(host, "hostname; id -un")),
		);
		expect(answers.map(({ stdout }) => stdout)).toEqual(
			nodeHosts.map((host) => `${host}\ndeploy`),
		);
	});

	it("are refused by the operator where their key is not the known one", async () => {
		const stranger = `HostKeyAlias=${lab.address("h2")}`;
		const { exitCode, stderr } = await ssh("h1", "true", "-o", stranger);
		expect(exitCode).toBe(255);
		expect(stderr).toContain("Host key verification failed");
	});

	it("know each other by name", async () => {
		expect(await hears("h1", "h5")).toBe(true);
		expect(await hears("lb", "h3")).toBe(true);
	});

	it("run HAProxy on the balancer's machine alone", async () => {
		expect(await inside("lb", "systemctl is-active haproxy")).toBe("active");
		const { stdout } = await lab.exec("h1", [
			...["systemctl", "is-active", "haproxy"],
		]);
		expect(stdout).toBe("inactive");
	});

	it("are bare: no Node.js, no Python, nothing in the places of raftctl", async () => {
		await lab.replace("h4");
		const found = await inside(
			"h4",
			"ls -A /opt; ls -A /var/lib/raftctl; command -v node python3 || true",
		);
		expect(found).toBe("lost+found");
	});
});

describe("what the account may do as root", () => {
	// With the rules as they are now: a lab that was up already may have older ones.
	beforeAll(() => lab.replace("h1"));
	afterAll(() => lab.replace("h1"));

	const unit = "/etc/systemd/system/raftd-kv-n1.service";
	const allowed = [
		"/usr/bin/systemctl daemon-reload",
		"/usr/bin/systemctl restart raftd-kv-n1.service",
		"/usr/bin/systemctl kill --signal=KILL raftd-kv-n1.service",
		`/usr/bin/install -m 0644 /dev/stdin ${unit}`,
		"/usr/bin/install -d -m 0755 -o deploy /opt/raftctl/kv",
		"/usr/bin/install -d -m 0750 -o raftd-kv -g raftd /var/lib/raftctl/kv",
		"/usr/sbin/groupadd --force --system raftd",
		"/usr/sbin/useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --gid raftd raftd-kv",
		"/usr/bin/cp -p /etc/haproxy/haproxy.cfg /etc/haproxy/haproxy.cfg.bak",
		"/usr/bin/cp /tmp/raftctl-haproxy.cfg /etc/haproxy/haproxy.cfg.new",
		"/usr/bin/mv -f /etc/haproxy/haproxy.cfg.new /etc/haproxy/haproxy.cfg",
		"/usr/bin/systemctl reload haproxy",
		"/usr/bin/cp /tmp/raftctl-kv.conf /etc/nginx/conf.d/raftctl-kv.conf.new",
		"/usr/bin/rm -f /etc/nginx/conf.d/raftctl-kv.conf",
		"/usr/sbin/nginx -t -q -c /etc/nginx/nginx.conf",
	];
	const refused = [
		"/bin/sh",
		"/usr/bin/systemctl restart ssh.service",
		"/usr/bin/systemctl restart raftd-kv-n1.service ssh.service",
		"/usr/bin/systemctl stop haproxy",
		"/usr/bin/cp -p /etc/shadow /etc/haproxy/haproxy.cfg.new",
		"/usr/bin/cp -p /etc/haproxy/haproxy.cfg /etc/passwd",
		"/usr/bin/rm -f /etc/nginx/conf.d/raftctl-kv.conf /etc/passwd",
		"/usr/sbin/nginx -t -q -c /tmp/nginx.conf",
		"/usr/bin/systemctl edit raftd-kv-n1.service",
		"/usr/bin/install -m 4755 /dev/stdin /etc/systemd/system/raftd-kv-n1.service",
		"/usr/bin/install -m 0644 /dev/stdin /etc/systemd/system/ssh.service",
		"/usr/bin/install -m 0644 /dev/stdin /etc/systemd/system/raftd-/../ssh.service",
		"/usr/bin/install -m 0644 /etc/shadow /etc/systemd/system/raftd-kv-n1.service",
		"/usr/bin/install -d -m 0755 -o deploy /opt/raftctl/../../etc",
		"/usr/bin/install -d -m 0755 -o deploy /opt/raftctl/..",
		"/usr/bin/install -d -m 0755 -o deploy /etc",
		"/usr/bin/install -d -m 0750 -o root -g raftd /var/lib/raftctl/kv",
		"/usr/sbin/useradd --system --no-create-home --home-dir /nonexistent --shell /bin/bash --gid raftd raftd-kv",
		"/usr/sbin/useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --gid raftd --uid 0 raftd-kv",
	];

	it.each(allowed)("is %s", async (command) => {
		expect((await ssh("h1", `sudo -n -l ${command}`)).exitCode).toBe(0);
	});

	it.each(refused)("is not %s", async (command) => {
		expect((await ssh("h1", `sudo -n -l ${command}`)).exitCode).toBe(1);
	});

	it("is enough for an account, its directories and a unit that runs under it", async () => {
		const script = `set -eu
sudo -n groupadd --force --system raftd
sudo -n useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --gid raftd raftd-kv
sudo -n install -d -m 0755 -o deploy /opt/raftctl
sudo -n install -d -m 0755 -o deploy /opt/raftctl/kv
sudo -n install -d -m 0750 -o raftd-kv -g raftd /var/lib/raftctl/kv
sudo -n -u raftd-kv install -d -m 0700 /var/lib/raftctl/kv/n1
printf '[Service]\\nUser=raftd-kv\\nExecStart=/bin/sleep 600\\n' |
	sudo -n install -m 0644 /dev/stdin ${unit}
sudo -n systemctl daemon-reload
sudo -n systemctl start raftd-kv-n1.service
ps -o user= -p "$(systemctl show --property=MainPID --value raftd-kv-n1.service)"
sudo -n systemctl stop raftd-kv-n1.service
systemctl is-active raftd-kv-n1.service || true
journalctl --quiet --unit=raftd-kv-n1.service --output=cat | grep --count Stopped`;
		expect(await ssh("h1", script)).toMatchObject({
			exitCode: 0,
			stdout: "raftd-kv\ninactive\n1",
		});
	});

	it("does not reach other accounts than those of daemons", async () => {
		for (const account of ["nobody", "haproxy", "root"])
			expect(
				(await ssh("h1", `sudo -n -u ${account} true`)).exitCode,
				account,
			).toBe(1);
	});
});

describe("a network that is cut", () => {
	afterEach(() => lab.heal());

	it("parts a machine from the others and leaves it to the operator", async () => {
		await lab.cut("h1", { from: "others" });
		expect(await hears("h1", "h2")).toBe(false);
		expect(await hears("h2", "h1")).toBe(false);
		await hearsAgain("h2", "h3");
		expect(await answersSsh(lab.address("h1"))).toBe(true);
		await lab.heal("h1");
		await hearsAgain("h1", "h2");
	});

	it("parts a machine from the operator and leaves it to the others", async () => {
		await lab.cut("h1", { from: "operator" });
		expect(await answersSsh(lab.address("h1"))).toBe(false);
		await hearsAgain("h2", "h1");
	});

	it("parts a machine from everybody, or from those that are named", async () => {
		await lab.cut("h1", { from: "all" });
		await lab.cut("h2", { from: ["h3"] });
		expect(await answersSsh(lab.address("h1"))).toBe(false);
		expect(await hears("lb", "h1")).toBe(false);
		expect(await hears("h3", "h2")).toBe(false);
		await hearsAgain("h4", "h2");
		expect((await lab.status()).map(({ cutFrom }) => cutFrom)).toEqual([
			["h2", "h3", "h4", "h5", "lb", "operator"],
			["h1", "h3"],
			["h1", "h2"],
			...[["h1"], ["h1"], ["h1"]],
		]);
	});

	it("can be cut one way", async () => {
		const received = async (from: HostName, to: HostName) => {
			const count = "cat /sys/class/net/host0/statistics/rx_packets";
			const before = Number(await inside(to, count));
			await lab.exec(from, [
				...[
					"bash",
					"-c",
					`for i in $(seq 50); do echo >/dev/udp/${to}/9; done`,
				],
			]);
			return Number(await inside(to, count)) - before >= 50;
		};
		await lab.cut("h1", { from: ["h2"], direction: "in" });
		expect(await received("h1", "h2")).toBe(true);
		expect(await received("h2", "h1")).toBe(false);
	});
});

describe("a machine that fails", () => {
	afterEach(() => lab.up());

	it("answers nobody while it is frozen, and goes on where it was", async () => {
		const pid = "systemctl show --property=MainPID --value ssh";
		const before = await inside("h2", pid);
		await lab.freeze("h2");
		expect(await answersSsh(lab.address("h2"))).toBe(false);
		expect((await lab.status())[1]).toMatchObject({ state: "frozen" });
		await lab.thaw("h2");
		expect(await answersSsh(lab.address("h2"))).toBe(true);
		expect(await inside("h2", pid)).toBe(before);
	});

	it("has its disks still when it was powered off, even frozen, and boots again", async () => {
		await inside("h2", "echo kept | tee /var/lib/raftctl/file >/etc/file");
		await lab.freeze("h2");
		await lab.powerOff("h2");
		expect((await lab.status())[1]).toMatchObject({ state: "off" });
		expect(await answersSsh(lab.address("h2"))).toBe(false);
		await lab.boot("h2");
		expect(await inside("h2", "cat /var/lib/raftctl/file /etc/file")).toBe(
			"kept\nkept",
		);
	});

	it("is bare, and known, once it has been replaced", async () => {
		await inside("h2", "touch /var/lib/raftctl/file /etc/file");
		await lab.replace("h2");
		expect(await inside("h2", "ls /var/lib/raftctl")).toBe("lost+found");
		expect((await lab.exec("h2", ["test", "-e", "/etc/file"])).exitCode).toBe(
			1,
		);
		expect((await ssh("h2", "hostname")).stdout).toBe("h2");
	});

	it("has no byte left on a full disk, and the rest of it goes on", async () => {
		await lab.fillDisk("h2");
		const write = (path: string) =>
			lab.exec("h2", ["tee", path], { stdin: "word" });
		const { exitCode, stderr } = await write("/var/lib/raftctl/file");
		expect(exitCode).not.toBe(0);
		expect(stderr).toMatch(/No space left on device/i);
		expect((await write("/tmp/file")).exitCode).toBe(0);
		await lab.emptyDisk("h2");
		expect((await write("/var/lib/raftctl/file")).exitCode).toBe(0);
	});

	it("ends its sessions and takes no others while its sshd is dead", async () => {
		const session = ssh("h2", "sleep 60");
		const begun = async () =>
			(await lab.exec("h2", ["pgrep", "-x", "sleep"])).exitCode === 0;
		while (!(await begun()));
		await lab.stopSsh("h2");
		expect((await session).exitCode).toBe(255);
		expect(await answersSsh(lab.address("h2"))).toBe(false);
		await lab.startSsh("h2");
		expect(await answersSsh(lab.address("h2"))).toBe(true);
	});
});

describe("a clock that is set", () => {
	it("is told to services of raftd and over SSH, at once, and to nobody else", async () => {
		await lab.replace("h2");
		await lab.loosenClock("h2");
		const unit = `[Service]\\nExecStart=/bin/sh -c "while sleep 0.05; do date +%%%%s >/run/told.new; mv /run/told.new /run/told; done"\\n`;
		await inside(
			"h2",
			`printf '${unit}' >/run/systemd/system/raftd-kv-n1.service; systemctl daemon-reload; systemctl start raftd-kv-n1; until test -e /run/told; do sleep 0.05; done`,
		);
		const ahead = async () => {
			await inside(
				"h2",
				"rm /run/told; until test -e /run/told; do sleep 0.05; done",
			);
			const told = await inside("h2", "cat /run/told");
			const overSsh = (await ssh("h2", "date +%s")).stdout;
			const truth = await inside("h2", "date +%s");
			return [told, overSsh].map(
				// Some seconds go by between the questions.
				(seconds) => Math.floor((Number(seconds) - Number(truth) + 60) / 100),
			);
		};
		expect(await ahead()).toEqual([0, 0]);
		await lab.setClock("h2", 300_000);
		expect(await ahead()).toEqual([3, 3]);
		await lab.setClock("h2", -300_000);
		expect(await ahead()).toEqual([-3, -3]);
		await lab.replace("h2");
	});
});
