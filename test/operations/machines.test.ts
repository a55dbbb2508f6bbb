import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseInventory } from "../../src/config/load.js";
import { openMachines } from "../../src/operations/machines.js";
import { Desk, freePort, type Sshd } from "../hosts/ssh/sshd.js";

const isRoot = process.getuid?.() === 0;
const timeoutMs = 60_000;

describe("the machines of a cluster file", () => {
	const desk = new Desk();
	let sshd: Sshd;
	let closed: number;
	beforeAll(async () => {
		sshd = await desk.sshd();
		desk.know(sshd.known());
		closed = await freePort();
	});
	afterAll(() => desk.close());

	const open = () => {
		const ssh = (port: number) =>
			`{ address: 10.0.0.1, ssh: { address: 127.0.0.1, port: ${port} } }`;
		const inventory = parseInventory(
			`name: orders
id: orders-1
hosts:
  h1: ${ssh(sshd.port)}
  h2: ${ssh(closed)}
  h3: { address: no-such-host.invalid }
ssh: { config: false }
deploy: { state: ${desk.directory}/state, user: nobody }
nodes: [{ id: n1, host: h1 }, { id: n2, host: h2 }, { id: n3, host: h3 }]
`,
			{ source: "cluster.yaml", directory: desk.directory },
		);
		return openMachines(inventory, desk.surroundings);
	};

	it.runIf(isRoot)(
		"do things on a host as the account of the daemon, or as whoever logs in",
		async () => {
			const machines = open();
			const who = async (as?: "daemon" | "login") => {
				const host = await machines.host("h1", as);
				return (await host.run(["id", "-un"], { timeoutMs })).stdout.trim();
			};
			expect(await who()).toBe("nobody");
			expect(await who("login")).toBe(desk.surroundings.user);
			await machines.close();
		},
	);

	it("have this one among them, where nothing of SSH is needed", async () => {
		const machines = open();
		const local = await machines.host("local");
		const { stdout } = await local.run(["echo", "here"], { timeoutMs });
		expect([local.name, stdout]).toEqual(["local", "here\n"]);
		await machines.close();
	});

	it("look for a node's unit by the cluster's name and its own", async () => {
		const programs = join(desk.directory, "programs");
		mkdirSync(programs, { recursive: true });
		const log = join(desk.directory, "log");
		writeFileSync(
			join(programs, "systemctl"),
			`#!/bin/sh\necho "$*" >> ${log}\n`,
			{ mode: 0o755 },
		);
		await sshd.stop();
		await sshd.listen(`SetEnv PATH=${programs}:/usr/bin:/bin`);
		const machines = open();
		const service = await machines.service({
			...{ host: "h1", name: "n1", argv: async () => [] },
		});
		expect(await service.state()).toEqual({ running: false, exit: null });
		expect(readFileSync(log, "utf8")).toContain("-- raftd-orders-n1.service");
		await expect(
			machines.service({ host: "h1", name: "balancer", argv: async () => [] }),
		).rejects.toMatchObject({ kind: "config" });
		await machines.close();
	});

	it("are all named when several cannot be worked on, and one error stays what it is", async () => {
		const machines = open();
		const asked = ["h1", "h2", "h3"].map((name) => machines.host(name));
		const first = await Promise.all(asked).catch((error: unknown) => error);
		expect(await machines.allOf(first)).toMatchObject({
			...{ kind: "unreachable", exitCode: 20 },
			message: "2 hosts cannot be worked on",
			problems: expect.arrayContaining([
				expect.stringContaining(`h2 (127.0.0.1:${closed}) refused`),
				expect.stringContaining("h3 (no-such-host.invalid:22) has a name"),
			]),
			state: "nothing was done there",
		});
		const other = new Error("another");
		expect(await machines.allOf(other)).toBe(other);
		await machines.close();
		const alone = open();
		const error = await alone.host("h2").catch((cause: unknown) => cause);
		expect(await alone.allOf(error)).toBe(error);
		await alone.close();
	});
});
