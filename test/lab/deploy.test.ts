import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEach } from "./all-at-once.js";
import { Desk } from "./deployed.js";
import type { Lab } from "./lab.js";
import { allHosts, type HostName, nodeHosts } from "./names.js";
import { theLab } from "./the-lab.js";
import { until } from "./until.js";

const limitMs = 600_000;
let lab: Lab;
let desk: Desk;

const bare = () => forEach(allHosts, (host) => lab.replace(host));

// With the rules of sudo as they are now, and nothing else.
beforeAll(async () => {
	lab = await theLab();
	await bare();
	desk = await Desk.open(lab);
}, limitMs);
afterAll(async () => {
	await desk.close();
	await bare();
}, limitMs);

async function on(host: HostName, script: string): Promise<string> {
	const { stdout } = await lab.exec(host, ["sh", "-c", script]);
	return stdout.trim();
}

function everywhere(script: string): Promise<string[]> {
	return Promise.all(nodeHosts.map((host) => on(host, script)));
}

const processes = () =>
	everywhere("systemctl show --value -p MainPID 'raftd-orders-n*.service'");

const deploy = ["deploy", "--yes", "--lock-wait", "60s"];

async function isHealthy(): Promise<boolean> {
	const { exitCode } = await desk.run(["health"]);
	return exitCode === 0;
}

// Each goes on where the one before it ended.
describe("five bare machines and a balancer", () => {
	it(
		"are not touched while one is not fit, and all that is wrong is told at once",
		async () => {
			await on("h1", "mv /etc/sudoers.d/raftctl /root/raftctl");
			await on(
				"h2",
				"systemd-run --unit=other socat TCP-LISTEN:7121,fork,reuseaddr PIPE",
			);
			await lab.powerOff("h3");
			try {
				await until(
					async () => (await on("h2", "ss -ltn")).includes(":7121"),
					20_000,
					{ what: "the other program" },
				);
				const { exitCode, stderr } = await desk.run(deploy);
				expect(exitCode).toBe(11);
				expect(stderr).toContain(
					"h1: the account raftd-orders is missing, and sudo does not let deploy make it",
				);
				expect(stderr).toContain(
					"h2: another program listens on the client port of n2",
				);
				expect(stderr).toMatch(/h3: .*(no route|did not answer)/);
				expect(await on("h4", "ls /opt")).toBe("");
			} finally {
				await on("h1", "mv /root/raftctl /etc/sudoers.d/raftctl");
				await on("h2", "systemctl stop other");
				await lab.boot("h3");
			}
		},
		limitMs,
	);

	it(
		"become a cluster, however often whoever deploys is killed",
		async () => {
			for (const step of ["/prepare", "h3/release", "n4/unit", "n2/start"])
				expect([step, await desk.killedAt(deploy, step)]).toEqual([step, true]);
			await desk.succeed(deploy);
			expect(await isHealthy()).toBe(true);
			expect(
				await everywhere(
					"systemctl is-enabled $(basename /etc/systemd/system/raftd-orders-*); stat -c '%U %a' /var/lib/raftctl/orders/n*/node.yaml",
				),
			).toEqual(nodeHosts.map(() => "enabled\nraftd-orders 600"));
		},
		limitMs,
	);

	it(
		"are left as they are by a second deploy, which says so",
		async () => {
			const before = await processes();
			const { hosts, needRestart } = await desk.json(deploy);
			expect(hosts).toEqual(nodeHosts.map((host) => ({ host, did: [] })));
			expect(needRestart).toEqual([]);
			expect(await processes()).toEqual(before);
			const plan = await desk.run([
				...["deploy", "--dry-run", "--detailed-exitcode"],
			]);
			expect(plan.exitCode).toBe(0);
		},
		limitMs,
	);

	it(
		"are told who has to be restarted when a unit becomes another, and nobody is",
		async () => {
			const before = await processes();
			await on("h2", "echo >> /etc/systemd/system/raftd-orders-n2.service");
			const { hosts, needRestart } = await desk.json(deploy);
			expect(needRestart).toEqual(["n2"]);
			expect(hosts[1].did).toEqual([
				"write raftd-orders-n2.service",
				"have systemd read its units",
			]);
			expect(await processes()).toEqual(before);
		},
		limitMs,
	);

	it(
		"are stopped and started as a whole",
		async () => {
			await desk.succeed(["down", "--yes"]);
			expect(await everywhere("pgrep -c -u raftd-orders node")).toEqual(
				nodeHosts.map(() => "0"),
			);
			await desk.succeed(["up"]);
			expect(await isHealthy()).toBe(true);
		},
		limitMs,
	);

	it(
		"have nothing left when they are destroyed, once all of them answer",
		async () => {
			await lab.powerOff("h5");
			const destroy = ["destroy", "--cluster-name", "orders"];
			const first = await desk.run(destroy);
			expect(first.exitCode).toBe(14);
			expect(first.stdout).toContain("h5: it is left:");
			await lab.boot("h5");
			await desk.succeed(destroy);
			expect(
				await everywhere(
					"ls -A /opt/raftctl /var/lib/raftctl | grep orders; find /etc/systemd/system -name 'raftd-*'; pgrep -u raftd-orders",
				),
			).toEqual(nodeHosts.map(() => ""));
			await desk.succeed(destroy);
		},
		limitMs,
	);
});
