import { spawnSync } from "node:child_process";
import {
	cpSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadMachine } from "../../src/daemon/machine-module.js";

const root = resolve(import.meta.dirname, "../..");
let directory: string;

/** The template as somebody has copied it, beside a package that is built from what is here. */
beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-template-"));
	cpSync(join(root, "templates/machine"), directory, { recursive: true });
	const installed = join(directory, "node_modules/raftctl");
	mkdirSync(installed, { recursive: true });
	const { exports } = JSON.parse(
		readFileSync(join(root, "package.json"), "utf8"),
	);
	await build({
		entryPoints: [join(root, "src/machines/machine.ts")],
		outfile: join(installed, exports["./machine"].default),
		...{ bundle: true, platform: "node", format: "esm", logLevel: "silent" },
	});
	writeFileSync(
		join(installed, "package.json"),
		JSON.stringify({ name: "raftctl", type: "module", exports }),
	);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the template of a machine", () => {
	it("passes its own tests where it is copied to", () => {
		const { status, stdout } = spawnSync(process.execPath, ["--test"], {
			...{ cwd: directory, encoding: "utf8" },
			env: { ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined },
		});
		expect(stdout).toMatch(/^# pass 6$/m);
		expect(stdout).toMatch(/^# fail 0$/m);
		expect(status).toBe(0);
	});

	it("is a machine that raftd takes", async () => {
		const { name } = await loadMachine(join(directory, "machine.js"));
		expect(name).toBe("bank");
	});
});
