import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
	checkHosts,
	type HostsReport,
} from "../../src/operations/host-checks/check-hosts.js";
import { clusterOf } from "./guide.js";
import type { Lab } from "./lab.js";
import type { HostName } from "./names.js";
import { operatingHosts } from "./operating-hosts.js";
import { theLab } from "./the-lab.js";
import { until } from "./until.js";

/** Hosts as they are looked at before a deploy, and each thing that can be the matter with one. */
let lab: Lab;
const hosts: readonly HostName[] = ["h1", "h2", "h3"];

beforeAll(async () => {
	lab = await theLab();
	for (const host of hosts) await lab.replace(host);
});
afterEach(async () => {
	await lab.heal();
	await lab.up();
});

function check(
	more = 'balancer: { kind: haproxy, host: lb, listen: "*:8080" }\n',
) {
	return operatingHosts(clusterOf(lab, more), checkHosts);
}

function found({ findings }: HostsReport, check: string) {
	return findings.filter((finding) => finding.check === check);
}

describe("raftctl doctor on hosts", () => {
	it("finds nothing in the way on bare machines that are well", async () => {
		const report = await check();
		// Their disks are small, which is told, and how busy this machine is, is not the matter.
		const beside = ["space", "disk", "ssh", "memory"];
		expect(
			report.findings.filter(
				({ severity, check }) =>
					severity === "problem" || !beside.includes(check),
			),
		).toEqual([]);
		expect(report.healthy).toBe(true);
		expect(report.hosts.map(({ host }) => host)).toEqual([...hosts, "lb"]);
		for (const host of report.hosts)
			expect(host).toMatchObject({
				...{ reachable: true, arch: expect.any(String) },
				glibc: expect.stringMatching(/^2\.\d+$/),
				systemdVersion: expect.any(Number),
				availableMemoryBytes: expect.any(Number),
				...{ stepMs: expect.any(Number), nodeJs: null },
			});
	});

	it("measures how long a write takes where nodes have their files, and leaves nothing there", async () => {
		await lab.exec("h1", ["chown", "deploy", "/var/lib/raftctl"]);
		const report = await check();
		expect(report.hosts[0]?.syncMs).toBeGreaterThan(0);
		expect(
			(await lab.exec("h1", ["ls", "-A", "/var/lib/raftctl"])).stdout,
		).not.toContain("doctor");
		await lab.exec("h1", ["chown", "root", "/var/lib/raftctl"]);
	});

	it("names the program that has a node's port", async () => {
		const inventory = clusterOf(lab);
		const [node] = inventory.nodes;
		const port = node?.client.split(":").at(-1) ?? "";
		await lab.exec("h1", [
			...["systemd-run", "--unit=squatter", "--uid=deploy"],
			...["socat", `TCP-LISTEN:${port},reuseaddr,fork`, "EXEC:cat"],
		]);
		const listens = async () =>
			(await lab.exec("h1", ["ss", "-ltn"])).stdout.includes(`:${port} `);
		await until(listens, 10_000, { what: "a listener" });
		const report = await check();
		expect(found(report, "port")).toEqual([
			{
				...{ severity: "problem", host: "h1", check: "port" },
				what: expect.stringMatching(
					new RegExp(
						`another program has the client port of n1, .*:${port}: socat \\(process \\d+\\) of deploy`,
					),
				),
				remedy: expect.stringContaining(`sport = :${port}`),
			},
		]);
		expect(report.healthy).toBe(false);
		await lab.exec("h1", ["systemctl", "stop", "squatter"]);
	});

	it("names what sudo does not allow", async () => {
		const file = "/etc/sudoers.d/raftctl";
		const here = (await lab.exec("h2", ["ls", "/etc/sudoers.d"])).stdout;
		expect(here).toContain("raftctl");
		await lab.exec("h2", ["sed", "-i", "/systemctl/d", file]);
		const [denied, ...others] = found(await check(), "sudo");
		expect(others).toEqual([]);
		expect(denied).toMatchObject({
			...{ host: "h2", check: "sudo" },
			what: expect.stringContaining(
				"sudo does not let deploy run: systemctl daemon-reload; systemctl start raftd-orders-n2.service",
			),
			remedy: expect.stringContaining("templates/sudoers"),
		});
		await lab.replace("h2");
	});

	it("names a clock that is apart", async () => {
		await lab.loosenClock("h3");
		await lab.setClock("h3", 300_000);
		expect(found(await check(), "clock")).toEqual([
			{
				...{ severity: "problem", host: "h3", check: "clock" },
				what: expect.stringMatching(/^its clock is (299|300)\.\d s ahead/),
				remedy: expect.stringContaining("timedatectl"),
			},
		]);
		await lab.replace("h3");
	});

	it("names a host that is down, and looks at the others all the same", async () => {
		await lab.powerOff("h2");
		const report = await check();
		expect(found(report, "ssh")).toMatchObject([
			{ severity: "problem", host: "h2", remedy: expect.any(String) },
		]);
		expect(report.hosts.map(({ reachable }) => reachable)).toEqual([
			...[true, false, true, true],
		]);
		expect(found(report, "network")).toEqual([]);
	});

	it("names hosts whose nodes would not hear each other, from whom", async () => {
		await lab.cut("h3", { from: ["h1", "h2"] });
		const peers = clusterOf(lab).nodes.map(({ peer }) => peer);
		const silence = (who: string, number: number) =>
			`it is not reached from ${who}: nothing comes back from ${peers[number - 1]} (peer of n${number})`;
		const findings = found(await check(), "network");
		expect(
			Object.fromEntries(findings.map(({ host, what }) => [host, what])),
		).toEqual({
			h1: silence("h3", 1),
			h2: silence("h3", 2),
			h3: silence("h1, h2", 3),
		});
		expect(findings[0]?.remedy).toContain("nc -vz");
	});

	it("names a disk that is full", async () => {
		await lab.fillDisk("h1");
		expect(
			found(await check(), "space").filter(
				({ severity }) => severity === "problem",
			),
		).toMatchObject([{ host: "h1" }]);
	});
});
