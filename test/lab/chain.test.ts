import { readFileSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEach } from "./all-at-once.js";
import { Application } from "./application.js";
import { Desk } from "./deployed.js";
import type { Lab } from "./lab.js";
import { allHosts } from "./names.js";
import { theLab } from "./the-lab.js";

const limitMs = 600_000;
let lab: Lab;
let desk: Desk;
/** Of the cluster that the snapshot is restored to. */
let other: Desk;
let application: Application;
/** Of the second release. */
let archive: string;

const bare = () => forEach(allHosts, (host) => lab.replace(host));
const inDesk = (name: string) => join(desk.directory, name);
const authority = () =>
	readFileSync(inDesk(".raftctl/orders/certs/ca.crt"), "utf8");
const deploy = ["deploy", "--yes", "--lock-wait", "60s"];

beforeAll(async () => {
	lab = await theLab();
	await bare();
	desk = await Desk.open(lab, {
		...{ name: "orders", hosts: ["h1", "h2", "h3"], spare: ["h4"] },
		...{ portBase: 7_100, more: ["tls: {}"] },
	});
	other = await Desk.open(lab, {
		...{ name: "copied", hosts: ["h5", "h3", "h5"] },
		...{ portBase: 7_200, withoutFront: true },
	});
	await desk.succeed(["certs", "init"]);
	await desk.succeed(deploy);
	application = await Application.start({
		...{ address: desk.address, tls: () => ({ ca: authority() }) },
		...{ writers: 6, followers: 6 },
	});
}, limitMs);
afterAll(async () => {
	await application?.close();
	await desk?.close();
	await other?.close();
	await bare();
}, limitMs);

const nobodyTwice = Array.from({ length: 6 }, () => 0);

// Each goes on where the one before it ended, under the same load.
describe("a cluster on three machines with TLS, behind HAProxy", {
	retry: 0,
}, () => {
	it(
		"is rolled, and no request fails and no WebSocket moves twice",
		async () => {
			const beyond = await application.movesBeyond(async () => {
				const { nodes } = await desk.json(["rolling-restart", "--yes"]);
				expect(nodes).toHaveLength(3);
				return nodes[0].node;
			});
			expect(beyond).toEqual(nobodyTwice);
			expect(application.failures).toEqual([]);
		},
		limitMs,
	);

	it(
		"goes over to the next release in two phases, with a way back before the second",
		async () => {
			archive = await desk.buildNext("2.0.0");
			const upgrade = ["upgrade", "--soak", "1s", "--yes", "--to"];
			await desk.succeed([...upgrade, archive, "--node", "n2"]);
			await desk.succeed(["upgrade", "rollback", "--yes"]);
			const beyond = await application.movesBeyond(async () => {
				const { nodes } = await desk.json([...upgrade, archive]);
				return nodes[0].node;
			});
			expect(beyond).toEqual(nobodyTwice);
			await desk.succeed(["upgrade", "finalize", "--yes"]);
			const { nodes, writeLevel } = await desk.json(["upgrade", "status"]);
			expect([nodes.length, writeLevel]).toEqual([3, 2]);
			for (const { release } of nodes) expect(release).toBe("2.0.0");
			expect(application.failures).toEqual([]);
		},
		limitMs,
	);

	it(
		"has a node replaced by one on a bare machine",
		async () => {
			const file = await readFile(desk.file, "utf8");
			const added = file.replace(
				"\nbalancer:",
				"\n  - { id: n4, host: h4 }\nbalancer:",
			);
			await writeFile(desk.file, added);
			const prepare = [...deploy, "--node", "n4"];
			// It has to read what the others write: not just any release will do.
			const refused = await desk.run(prepare);
			expect(refused.exitCode).toBe(11);
			expect(refused.stderr).toContain("the release 2.0.0 is not on h4");
			await desk.succeed([...prepare, "--release", archive]);
			const { members } = await desk.json([
				"replace-node",
				"n3",
				"n4",
				"--yes",
			]);
			expect(members).toHaveLength(3);
			await desk.succeed(deploy);
			expect((await desk.run(["health"])).exitCode).toBe(0);
			expect(application.failures).toEqual([]);
		},
		limitMs,
	);

	it(
		"has a snapshot saved, which becomes another cluster on other machines beside it",
		async () => {
			const file = inDesk("orders.snapshot");
			await desk.succeed(["snapshot", "save", "--file", file]);
			// The release that wrote it reads it.
			await copyFile(inDesk("bank-2.js"), join(other.directory, "bank.js"));
			await other.succeed(deploy);
			await other.succeed(["down", "--yes"]);
			await other.succeed([
				...["snapshot", "restore", file, "--yes"],
				...["--erase", "copied", "--foreign", "orders-lab"],
			]);
			await other.succeed(deploy);
			const { answer } = await query(other.address);
			expect(answer.accounts).toBeGreaterThan(50);
			expect(application.failures).toEqual([]);
		},
		limitMs,
	);

	it(
		"gets another authority, without a restart",
		async () => {
			const before = authority();
			const { phase } = await desk.json(["certs", "rotate", "--yes"]);
			expect(phase).toBe("steady");
			expect(authority()).not.toBe(before);
			expect((await desk.json(["certs", "status"])).problems).toEqual([]);
			expect(application.failures).toEqual([]);
		},
		limitMs,
	);

	it(
		"has failed no request in all that, and told every event once",
		async () => {
			await application.stop();
			expect(application.failures).toEqual([]);
		},
		limitMs,
	);
});

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it asserts on
async function query(address: string): Promise<any> {
	const answer = await fetch(`http://${address}/v1/query`, {
		method: "POST",
		body: "{}",
	});
	return await answer.json();
}
