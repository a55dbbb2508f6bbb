import { resolve } from "node:path";
import { expect, it } from "vitest";
import { allHosts } from "./names.js";
import { attempt } from "./program.js";

const root = resolve(import.meta.dirname, "../..");

function lab(...words: readonly string[]) {
	return attempt([process.execPath, "scripts/lab.mjs", ...words], {
		cwd: root,
		timeoutMs: 60_000,
	});
}

it("shows what is up", async () => {
	const { exitCode, stdout } = await lab("status");
	expect(exitCode).toBe(0);
	expect(stdout.split("\n").map((line) => line.split(/\s+/)[0])).toEqual([
		...allHosts,
	]);
});

it("runs a command on a machine and ends as it did", async () => {
	expect(await lab("shell", "h3", "hostname")).toMatchObject({
		exitCode: 0,
		stdout: "h3",
	});
	expect((await lab("shell", "h3", "sh", "-c", "exit 7")).exitCode).toBe(7);
});

it("changes nothing while the lab is in use, and says by whom", async () => {
	const { exitCode, stderr } = await lab("off", "h3");
	expect(exitCode).toBe(13);
	expect(stderr).toContain("in use: npm run test:lab");
	expect((await lab("shell", "h3", "true")).exitCode).toBe(0);
});

it("names the words that there are when it does not know one", async () => {
	const unknown = await lab("unplug", "h3");
	expect(unknown.exitCode).toBe(2);
	expect(unknown.stderr).toContain("npm run lab -- cut HOST");
	const nowhere = await lab("shell", "h9");
	expect(nowhere.exitCode).toBe(2);
	expect(nowhere.stderr).toContain('"h9" is none of h1, h2');
});
