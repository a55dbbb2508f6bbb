import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { ownRelease } from "../../src/daemon/own-release.js";
import type { OperatorError } from "../../src/errors.js";
import { raftdGround } from "./raftd-ground.js";
import { adminCall, Raftd } from "./raftd-process.js";

const ground = raftdGround();
const dist = resolve(import.meta.dirname, "../../dist");
const daemon = "node_modules/raftctl/dist/src/daemon/main.js";

/** A release as it lies on a host, without the files of the daemon. */
function release(version: string, app: string | null = null): string {
	const root = join(ground.directory, "releases", version);
	mkdirSync(join(root, "app"), { recursive: true });
	const manifest = { format: 1, version, raftd: "0.1.0", app, runtime: null };
	writeFileSync(join(root, "release.json"), JSON.stringify(manifest));
	writeFileSync(join(root, "files.sha256"), "");
	return root;
}

/** The same with the daemon that was built, and a machine of its own. */
function runnable(version: string, machine: string): string {
	const root = release(version, "app/app.mjs");
	for (const part of ["src", "chunks"])
		cpSync(join(dist, part), join(root, daemon, "../../..", part), {
			recursive: true,
			filter: (source) => !source.endsWith(".map"),
		});
	cpSync(
		join(dist, "../package.json"),
		join(root, "node_modules/raftctl/package.json"),
	);
	writeFileSync(
		join(root, "app/app.mjs"),
		`export default { name: "${machine}", levels: { reads: [1, 1], writes: 1 }, create: () => ({}),
			apply: () => ({ result: new Uint8Array(0) }), query: () => new Uint8Array(0), snapshot: () => [], restore: () => ({}) };`,
	);
	return root;
}

const urlIn = (root: string) => pathToFileURL(join(root, daemon)).href;

describe("what a raftd runs that lies in a release", () => {
	it("is what the release says", async () => {
		const root = release("1.4.0+7", "app/orders.js");
		expect(await ownRelease(urlIn(root))).toEqual({
			version: "1.4.0+7",
			app: join(root, "app/orders.js"),
		});
	});

	it("is the bundled machine where the release has none of its own", async () => {
		const root = release("1.4.0");
		expect(await ownRelease(urlIn(root))).toEqual({ version: "1.4.0" });
	});

	it("is left to node.yaml for one that lies in none", async () => {
		const package_ = join(ground.directory, "somewhere");
		mkdirSync(package_);
		writeFileSync(join(package_, "release.json"), "of another program");
		expect(await ownRelease(urlIn(package_))).toBeNull();
		expect(await ownRelease(import.meta.url)).toBeNull();
	});

	it("is not guessed where the release does not say it", async () => {
		const root = release("1.4.0");
		writeFileSync(join(root, "release.json"), '{"version": ');
		const error = await ownRelease(urlIn(root)).catch((one) => one);
		expect((error as OperatorError).kind).toBe("refused");
		expect(error.message).toContain(`${root}/release.json does not say`);
	});

	it("counts where node.yaml still speaks of the release before", async () => {
		const former = runnable("1.0.0", "former");
		const next = runnable("2.0.0", "next");
		const link = join(ground.directory, "current");
		const node = await ground.single({
			...{ release: "1.0.0", app: join(former, "app/app.mjs") },
		});
		symlinkSync(next, link);
		const raftd = await ground.startReadyFrom(join(link, daemon), node);
		expect(await adminCall(node, "GetStatus")).toMatchObject({
			...{ release: "2.0.0", machine: "next" },
		});
		expect(raftd.log()).toContainEqual(
			expect.objectContaining({ named: "1.0.0", own: "2.0.0" }),
		);
	});

	it("counts where a data directory is made from a file as well", async () => {
		const former = runnable("1.0.0", "former");
		const program = join(runnable("2.0.0", "next"), daemon);
		const node = await ground.single();
		const raftd = await ground.startReadyFrom(program, node);
		raftd.kill("SIGTERM");
		await raftd.ended;
		const file = join(ground.directory, "state.snapshot");
		const app = join(ground.directory, "releases/2.0.0/app/app.mjs");
		const run = (...words: string[]) =>
			new Raftd(["snapshot", ...words], {}, program).ended;
		const words = ["--data-dir", node.data, "--out", file, "--app", app];
		expect(await run("export", ...words)).toMatchObject({ code: 0 });
		const other = await ground.single({
			...{ cluster: { id: "c-other", name: "test" } },
			...{ data: join(ground.directory, "other") },
			...{ release: "1.0.0", app: join(former, "app/app.mjs") },
		});
		const restored = await run("restore", file, "--config", other.path);
		expect(restored).toMatchObject({ code: 0, stderr: "" });
	});
});
