import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

let directory: string;
let child: ChildProcess | null = null;
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftd-parent-"));
	buildSync({
		entryPoints: [resolve("src/daemon/offline/parent.ts")],
		...{ outfile: join(directory, "parent.mjs"), bundle: true },
		...{ format: "esm", platform: "node", logLevel: "error" },
	});
});
afterEach(() => void child?.kill("SIGKILL"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A process that ends with its standard input, and then does this. */
async function running(
	work: string,
	stdin: "pipe" | "ignore" = "pipe",
): Promise<ChildProcess> {
	const script = `
		const { endWithStdin } = await import(${JSON.stringify(join(directory, "parent.mjs"))});
		endWithStdin();
		process.stdout.write("up");
		await new Promise((go) => setTimeout(go, 200));
		${work}`;
	const argv = ["--input-type=module", "-e", script];
	const made = spawn(process.execPath, argv, {
		stdio: [stdin, "pipe", "inherit"],
	});
	child = made;
	await once(made.stdout as NodeJS.EventEmitter, "data");
	return made;
}

describe("a program for files whose parent is gone", () => {
	it("ends, however busy it is", async () => {
		const busy = await running("for (;;);");
		busy.stdin?.end();
		expect(await once(busy, "exit")).toEqual([null, "SIGKILL"]);
	});

	it("ends by itself while its parent lives", async () => {
		const short = await running("process.exitCode = 7;");
		expect(await once(short, "exit")).toEqual([7, null]);
	});

	it("takes an input that nobody holds for no parent's end", async () => {
		const alone = await running("process.exitCode = 7;", "ignore");
		expect(await once(alone, "exit")).toEqual([7, null]);
	});
});
