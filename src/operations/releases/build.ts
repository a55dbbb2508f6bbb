import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
	chmod,
	cp,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { Programs } from "../context.js";
import {
	encodeManifest,
	manifestFormat,
	manifestName,
	type ReleaseManifest,
	releaseFiles,
	requireVersion,
} from "./manifest.js";

const packTimeoutMs = 300_000;
const lookTimeoutMs = 30_000;

const unbuilt = "no release was built";
const nameTheModule =
	'name the module with the state machine as its "main", or give --app the module itself';

export interface BuildWish {
	readonly version: string;
	/** A module, or a directory with a package.json that names one; null for the bundled machine. */
	readonly app: string | null;
	/** Puts the Node.js that runs this in. */
	readonly withRuntime: boolean;
	/** Where the archive goes; nothing is written over. */
	readonly output: string;
}

export interface BuildReport {
	readonly path: string;
	readonly bytes: number;
	readonly manifest: ReleaseManifest;
}

/**
 * Makes one file of daemon, application and, if asked for, Node.js: what a host needs to run a node. The same files make
 * the same archive. The machine inside is loaded once by the daemon inside, so that one that does not load is not built.
 */
export async function buildRelease(
	{ local, programs }: Workshop,
	{ version, app, withRuntime, output }: BuildWish,
): Promise<BuildReport> {
	requireVersion(version, unbuilt);
	const path = resolve(output);
	await requireAbsent(path);
	const staged = await stageRelease({ local, programs }, { app, withRuntime });
	try {
		return await staged.pack(version, path);
	} finally {
		await staged.dispose();
	}
}

/** With what a release is made. */
export interface Workshop {
	readonly local: Host;
	readonly programs: Programs;
}

/** The files of a release, laid out on this machine, that has no name yet. */
export interface StagedRelease {
	/** Of the daemon inside. */
	readonly raftd: string;
	/** SHA-256 over every file: the same files have the same, whatever version they are given. */
	readonly digest: string;
	pack(version: string, path: string): Promise<BuildReport>;
	dispose(): Promise<void>;
}

/** Throws OperatorError "refused" for an application that does not load. */
export async function stageRelease(
	{ local, programs }: Workshop,
	{ app, withRuntime }: Pick<BuildWish, "app" | "withRuntime">,
): Promise<StagedRelease> {
	const stage = await mkdtemp(join(tmpdir(), "raftctl-release-"));
	const dispose = () => rm(stage, { recursive: true, force: true });
	try {
		await stageDaemon(programs, stage);
		const entry = app === null ? null : await stageApp(resolve(app), stage);
		if (withRuntime) await stageRuntime(programs, stage);
		const { machine, raftd } = await machineOf(local, programs, {
			daemon: join(stage, releaseFiles.daemon),
			app: entry === null ? null : join(stage, entry),
		});
		const sums = await sumsOf(stage);
		const manifest = {
			...{ raftd, machine, app: entry },
			runtime: withRuntime
				? {
						node: process.version,
						platform: process.platform,
						arch: process.arch,
					}
				: null,
		};
		return {
			raftd,
			digest: createHash("sha256").update(sums).digest("hex"),
			async pack(version, path) {
				const named = { format: manifestFormat, version, ...manifest };
				await writeFile(join(stage, manifestName), encodeManifest(named));
				await writeFile(join(stage, releaseFiles.sums), await sumsOf(stage));
				const bytes = await pack(local, stage, path);
				return { path, bytes, manifest: named };
			},
			dispose,
		};
	} catch (error) {
		await dispose();
		throw error;
	}
}

async function requireAbsent(path: string): Promise<void> {
	const found = await stat(path).catch(() => null);
	if (found === null) return;
	throw new OperatorError("refused", `${path} exists`, {
		state: "nothing was written",
		next: "give another --out, or remove it first",
	});
}

/** The package without what only the command line needs. */
async function stageDaemon(programs: Programs, stage: string): Promise<void> {
	const dist = resolve(dirname(programs.raftd), "../..");
	const target = join(stage, releaseFiles.package);
	await mkdir(target, { recursive: true });
	for (const part of ["src", "chunks"])
		await cp(join(dist, part), join(target, "dist", part), {
			recursive: true,
			filter: (source) => !source.endsWith(".map"),
		});
	await cp(join(dist, "..", "package.json"), join(target, "package.json"));
	const program = join(stage, releaseFiles.program);
	await mkdir(dirname(program), { recursive: true });
	await writeFile(program, launcher, { mode: 0o755 });
	await chmod(program, 0o755);
}

/**
 * One path to start every release by, so that the unit need not know which has a Node.js of its own. It becomes the daemon,
 * for systemd takes the process that it has started for the one that reports. By the release's own path, not by the link's:
 * what a process loads late must still be of its release when the link shows to the next.
 */
const launcher = `#!/bin/sh
release=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
node=$release/${releaseFiles.node}
[ -x "$node" ] || node=node
exec "$node" "$release/${releaseFiles.daemon}" "$@"
`;

/** Returns where its module lies in the release. */
async function stageApp(app: string, stage: string): Promise<string> {
	const found = await stat(app).catch(() => null);
	if (found === null)
		throw new OperatorError("usage", `there is no application at ${app}`, {
			state: unbuilt,
			next: "give --app the module with the state machine, or the directory of its package",
		});
	const target = join(stage, releaseFiles.app);
	if (!found.isDirectory()) {
		await mkdir(target, { recursive: true });
		await cp(app, join(target, basename(app)));
		// Its neighbours stay behind, the one that says how it is to be read included.
		if (app.endsWith(".js"))
			await writeFile(join(target, "package.json"), '{ "type": "module" }\n');
		return join(releaseFiles.app, basename(app));
	}
	await cp(app, target, { recursive: true, dereference: true });
	return join(releaseFiles.app, await mainOf(app));
}

async function mainOf(directory: string): Promise<string> {
	const path = join(directory, "package.json");
	try {
		const { main } = JSON.parse(await readFile(path, "utf8"));
		if (typeof main === "string" && main !== "")
			return relative(directory, resolve(directory, main));
	} catch (cause) {
		throw new OperatorError(
			"usage",
			`cannot read ${path}: ${reasonOf(cause)}`,
			{
				state: unbuilt,
				next: nameTheModule,
				cause,
			},
		);
	}
	throw new OperatorError("usage", `${path} has no "main"`, {
		state: unbuilt,
		next: nameTheModule,
	});
}

async function stageRuntime(programs: Programs, stage: string): Promise<void> {
	const target = join(stage, releaseFiles.node);
	await mkdir(dirname(target), { recursive: true });
	await cp(programs.node, target, { dereference: true });
	await chmod(target, 0o755);
}

async function machineOf(
	local: Host,
	programs: Programs,
	{ daemon, app }: { readonly daemon: string; readonly app: string | null },
): Promise<Pick<ReleaseManifest, "machine" | "raftd">> {
	const { exitCode, stdout, stderr } = await local.run(
		[
			...[programs.node, daemon, "machine", "--json"],
			...(app === null ? [] : ["--app", app]),
		],
		{ timeoutMs: lookTimeoutMs },
	);
	if (exitCode === 0) {
		const { name, levels, release } = JSON.parse(stdout);
		const { reads, writes } = levels;
		return { machine: { name, reads, writes }, raftd: release };
	}
	throw new OperatorError("refused", "the application does not load", {
		// What it says to type is about a copy that is gone by then.
		problems: stderr
			.trim()
			.split("\n")
			.filter((line) => !line.startsWith("Next: ")),
		state: unbuilt,
		next: "mend the module: its imports must be inside it, or in node_modules beside it",
	});
}

/** Of every file but the list itself, as sha256sum writes it. */
async function sumsOf(stage: string): Promise<string> {
	const files = await readdir(stage, { recursive: true, withFileTypes: true });
	const paths = files
		.filter((file) => file.isFile())
		.map((file) => relative(stage, join(file.parentPath, file.name)))
		.filter((path) => path !== releaseFiles.sums)
		.sort();
	const lines: string[] = [];
	for (const path of paths)
		lines.push(`${await sha256Of(join(stage, path))}  ./${path}\n`);
	return lines.join("");
}

async function sha256Of(path: string): Promise<string> {
	const hash = createHash("sha256");
	for await (const chunk of createReadStream(path)) hash.update(chunk);
	return hash.digest("hex");
}

async function pack(local: Host, stage: string, path: string): Promise<number> {
	const partial = `${path}.part`;
	const { exitCode, stderr } = await local.run(
		[
			...["tar", "-C", stage, "--sort=name", "--mtime=@0", "--numeric-owner"],
			...["--owner=0", "--group=0", "--mode=u+rw,go=rX", "-cf", partial],
			// Without the time, which differs each time.
			...["--use-compress-program=gzip -n", "."],
		],
		{ timeoutMs: packTimeoutMs },
	);
	if (exitCode !== 0) {
		await rm(partial, { force: true });
		throw new OperatorError("unexpected", `${path} could not be written`, {
			problems: stderr.trim().split("\n"),
			state: unbuilt,
			next: "make room there, or give another --out",
		});
	}
	await rename(partial, path);
	return (await stat(path)).size;
}
