import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localHost } from "../../../src/hosts/local.js";
import { readArchive } from "../../../src/operations/releases/archive.js";
import { buildRelease } from "../../../src/operations/releases/build.js";

let directory: string;
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-refused-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const below = (name: string) => join(directory, name);

describe("an archive that is asked what it is", () => {
	const asked = (path: string) => readArchive(localHost(), path);

	it("is missed in our words, not in tar's", async () => {
		await expect(asked(below("nope.tgz"))).rejects.toMatchObject({
			...{ kind: "usage", message: `there is no file ${below("nope.tgz")}` },
			...{ problems: [], state: "nothing was changed" },
			next: expect.stringContaining("raftctl release build"),
		});
	});

	it("is refused when it is a directory", async () => {
		await expect(asked(directory)).rejects.toMatchObject({
			...{ kind: "usage", message: `${directory} is not a regular file` },
		});
	});

	it("is refused when it is something else", async () => {
		await writeFile(below("letter.tgz"), "Dear reader\n");
		await expect(asked(below("letter.tgz"))).rejects.toMatchObject({
			kind: "refused",
			message: `${below("letter.tgz")} is no release`,
		});
	});
});

describe("a release that cannot be built", () => {
	/** What the person gave is wrong, and the person is told what to do. */
	async function fault(wish: { version?: string; app?: string }) {
		const { version = "1.0.0", app = null } = wish;
		const programs = { node: process.execPath, raftd: "", balancer: "" };
		// A daemon of no files, as none of these comes as far as to load one.
		for (const part of ["dist/src/daemon", "dist/chunks"])
			await mkdir(below(part), { recursive: true });
		await writeFile(below("package.json"), "{}");
		const error = await buildRelease(
			{
				local: localHost(),
				programs: { ...programs, raftd: below("dist/src/daemon/main.js") },
			},
			{ version, app, withRuntime: false, output: below("out.tgz") },
		).catch((reason: unknown) => reason);
		expect(error).toMatchObject({
			...{ kind: "usage", state: "no release was built" },
			next: expect.stringMatching(/^(give|name) /),
		});
		expect(await readdir(directory)).not.toContain("out.tgz");
		return (error as Error).message;
	}

	it("is one of a version that names no directory", async () => {
		expect(await fault({ version: "../x" })).toContain('"../x" is no version');
	});

	it("is one of an application that is not there", async () => {
		const app = below("nope.js");
		expect(await fault({ app })).toBe(`there is no application at ${app}`);
	});

	it("is one of a package that names no module, or cannot be read", async () => {
		await mkdir(below("app"));
		const path = below("app/package.json");
		expect(await fault({ app: below("app") })).toContain(`cannot read ${path}`);
		await writeFile(path, "{}");
		expect(await fault({ app: below("app") })).toBe(`${path} has no "main"`);
	});
});
