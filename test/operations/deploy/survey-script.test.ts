import { spawnSync } from "node:child_process";
import {
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conflictsOf } from "../../../src/operations/deploy/ports.js";
import {
	parseSurvey,
	surveyScript,
} from "../../../src/operations/deploy/survey-script.js";

/** The script runs for real, in this machine's shell; systemctl and sudo are scripts. */
describe("what is found on a host", () => {
	const directory = mkdtempSync(join(tmpdir(), "raftctl-survey-"));
	const opt = join(directory, "opt/orders");
	beforeAll(() => {
		const bin = join(directory, "bin");
		mkdirSync(bin);
		mkdirSync(join(opt, "releases/1.4.0"), { recursive: true });
		mkdirSync(join(opt, "n1"));
		writeFileSync(join(opt, "releases/1.4.0/release.json"), "{}");
		symlinkSync(join(opt, "releases/1.4.0"), join(opt, "n1/current"));
		const scripts = {
			systemctl:
				'[ "$1" = --version ] && echo "systemd 252 (252.1)" && exit\nprintf "MainPID=%s\\nActiveState=active\\nUnitFileState=enabled\\nNeedDaemonReload=yes\\n" 4711',
			// One that lets nobody do anything.
			sudo: "exit 1",
			id: "case $1 in -u) [ $# = 1 ] && echo 1000 ;; -un) echo ann ;; *) exit 1 ;; esac",
		};
		for (const [name, text] of Object.entries(scripts))
			writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
	});
	afterAll(() => rmSync(directory, { recursive: true, force: true }));

	function survey(...nodes: readonly string[]) {
		const { stdout, status } = spawnSync(
			"sh",
			[
				...["-c", surveyScript, "survey", "orders", "raftd-orders"],
				...[opt, join(directory, "state"), ...nodes],
			],
			{
				encoding: "utf8",
				env: { PATH: `${directory}/bin:${process.env.PATH}` },
			},
		);
		expect(status).toBe(0);
		return parseSurvey(stdout, nodes);
	}

	it("is what the host is and has", () => {
		const found = survey("n1", "n2");
		expect(found).toMatchObject({
			...{ login: "ann", isRoot: false, systemdVersion: 252 },
			...{ accountGroup: null, state: null, releases: ["1.4.0"] },
			directory: { user: userInfo().username, mode: "755" },
		});
		expect(found.kernel).toBe("Linux");
		expect(found.freeForReleasesBytes).toBeGreaterThan(0);
		expect(found.nodes.get("n1")).toEqual({
			...{ unit: null, runs: true, startsAtBoot: true, needsReload: true },
			...{ current: "1.4.0", others: [] },
		});
		expect(found.nodes.get("n2")).toMatchObject({ current: null });
	});

	it("is what sudo does not allow", () => {
		expect(survey("n1").denied).toEqual([
			...["account", "parent", "directory", "state", "reload"],
			...["unit n1", "enable n1", "start n1", "stop n1"],
		]);
	});

	it("is who listens, on which of a node's ports", async () => {
		const server = createServer();
		await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
		try {
			const { port } = server.address() as { readonly port: number };
			const { listens } = survey("n1");
			const node = {
				...{ peer: `127.0.0.1:${port}`, client: `127.0.0.2:${port}` },
				...{ admin: `node1.example.net:${port}`, agent: null },
			};
			expect(conflictsOf(node, listens).map(({ name }) => name)).toEqual([
				...["peer", "admin"],
			]);
		} finally {
			server.close();
		}
	});
});
