import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEach } from "./all-at-once.js";
import { Desk } from "./deployed.js";
import type { Lab } from "./lab.js";
import { allHosts, type HostName } from "./names.js";
import { theLab } from "./the-lab.js";
import { until } from "./until.js";

const limitMs = 600_000;
let lab: Lab;
let desk: Desk;

const hosts = ["h1", "h2", "h3"] as const;
const nodes = ["n1", "n2", "n3"];

const bare = () => forEach(allHosts, (host) => lab.replace(host));

beforeAll(async () => {
	lab = await theLab();
	await bare();
	desk = await Desk.open(lab, { name: "orders", hosts, portBase: 7_100 });
	await desk.succeed(["deploy", "--yes", "--lock-wait", "60s"]);
}, limitMs);
afterAll(async () => {
	await desk.close();
	await bare();
}, limitMs);

async function unit(host: HostName, property: string): Promise<string> {
	const name = `raftd-orders-n${host.slice(1)}.service`;
	const { stdout } = await lab.exec(host, [
		...["systemctl", "show", "--value", `--property=${property}`, name],
	]);
	return stdout.trim();
}

/** What systemd said of a node's unit, as the stream of logs has it. */
async function saidOf(node: string, words: RegExp): Promise<string[]> {
	const { lines } = await desk.json([
		...["logs", "--node", node, "--since", "1h"],
	]);
	return lines
		.filter(({ level }: { level: string | null }) => level === null)
		.map(({ message }: { message: string }) => message)
		.filter((message: string) => words.test(message));
}

describe("a deployed cluster", () => {
	it(
		"has a node whose event loop is stuck ended and started again by systemd, and no other",
		async () => {
			const pid = await unit("h1", "MainPID");
			const watchdogMs = 10_000;
			expect(await unit("h1", "WatchdogUSec")).toBe("10s");
			// Told anew with each beat: right after an election it is still the former one.
			const saysWhoLeads = async () =>
				/^(leader|follower of n\d) in term \d+$/.test(
					await unit("h1", "StatusText"),
				);
			await until(saysWhoLeads, watchdogMs, { what: "n1 to say who leads" });
			await lab.exec("h1", ["kill", "-STOP", pid]);
			const startedAgain = async () =>
				(await unit("h1", "NRestarts")) === "1" &&
				(await unit("h1", "SubState")) === "running";
			await until(startedAgain, 90_000, { what: "n1 to be started again" });
			expect(await unit("h1", "MainPID")).not.toBe(pid);
			expect(await saidOf("n1", /watchdog timeout/i)).not.toEqual([]);
			const isHealthy = async () => (await desk.run(["health"])).exitCode === 0;
			await until(isHealthy, 60_000, { what: "the cluster to be healthy" });
			// Longer than a silent one would have lived.
			await new Promise((resolve) => setTimeout(resolve, 1.5 * watchdogMs));
			for (const host of hosts)
				expect([host, await unit(host, "NRestarts")]).toEqual([
					host,
					host === "h1" ? "1" : "0",
				]);
		},
		limitMs,
	);

	it(
		"shows the logs of all nodes in one stream, with what systemd said of them",
		async () => {
			const { lines, unread } = await desk.json(["logs", "--since", "1h"]);
			expect(unread).toEqual([]);
			expect(
				[...new Set(lines.map(({ node }: { node: string }) => node))].sort(),
			).toEqual(nodes);
			// Not one node after the other: three alone would change twice.
			const changes = lines.filter(
				({ node }: { node: string }, at: number) =>
					at > 0 && lines[at - 1].node !== node,
			);
			expect(changes.length).toBeGreaterThan(10);
			expect(lines[0].at < lines.at(-1).at).toBe(true);
			expect(await saidOf("n1", /^Started raftd/)).not.toEqual([]);
		},
		limitMs,
	);

	it(
		"is followed while a host loses power and starts its node again by itself, and leaves nothing running",
		async () => {
			const { child, done } = desk.start([
				...["logs", "--follow", "--lines", "1", "-o", "ndjson"],
			]);
			let text = "";
			child.stdout?.on("data", (chunk: Buffer) => {
				text += chunk.toString();
			});
			const events = () =>
				text
					.split("\n")
					.slice(0, -1)
					.map((line): Record<string, string> => JSON.parse(line));
			const of = (type: string, node: string) =>
				events().filter((one) => one.type === type && one.node === node);
			const seen = (what: string, isSo: () => boolean) =>
				until(async () => isSo(), 120_000, { what });
			await seen("lines of all", () =>
				nodes.every((id) => of("log", id).length > 0),
			);
			await lab.powerOff("h3");
			await seen("a warning", () => of("warning", "n3").length > 0);
			await lab.boot("h3");
			await seen("its return", () =>
				of("log", "n3").some(({ message }) => message === "serving"),
			);
			child.kill("SIGINT");
			expect((await done).exitCode).toBe(130);
			expect(of("warning", "n3")).toHaveLength(2);
			for (const host of hosts)
				expect(
					(await lab.exec(host, ["pgrep", "--count", "journalctl"])).stdout,
				).toBe("0");
		},
		limitMs,
	);

	it(
		"has nothing in its way that doctor finds, its own programs on its ports included",
		async () => {
			const { healthy, findings, hosts: seen } = await desk.json(["doctor"]);
			// Their disks are small, which is told, and how busy this machine is, is not the matter.
			expect(
				findings.filter(
					({ check }: { check: string }) =>
						!["space", "disk", "ssh", "memory"].includes(check),
				),
			).toEqual([]);
			expect(healthy).toBe(true);
			expect(seen).toHaveLength(4);
			for (const { syncMs } of seen.slice(0, 3))
				expect(syncMs).toBeGreaterThan(0);
		},
		limitMs,
	);
});
