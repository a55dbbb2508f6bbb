import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { readArchive } from "../releases/archive.js";
import { stageRelease } from "../releases/build.js";
import { currentRelease, installedRelease } from "../releases/installed.js";
import { type ReleaseManifest, requireVersion } from "../releases/manifest.js";
import { architectureOf, hasFittingNodeJs } from "./faults.js";
import type { Found } from "./survey.js";

/** What nodes without a release get. */
export interface Offer {
	readonly manifest: ReleaseManifest;
	/** Of this machine; null where every host has it. */
	readonly archive: string | null;
	readonly archiveBytes: number | null;
}

/**
 * The release that was named; else the one that the other nodes start with; else one that is made of this raftctl and the
 * application of the cluster file. Null where nobody needs one. `release`: a path or a version.
 */
export async function chooseRelease(
	context: OperationContext,
	found: readonly Found[],
	release: string | null,
): Promise<Offer | null> {
	if (release !== null) return named(context, found, release);
	const isNeeded = found.some(({ survey }) =>
		[...survey.nodes.values()].some(({ current }) => current === null),
	);
	if (!isNeeded) return null;
	const present = new Set([
		...found.flatMap(currentOf),
		...(await releasesElsewhere(context, found)),
	]);
	const [only = null, another] = present;
	if (another !== undefined) throw severalReleases(context, [...present]);
	if (only !== null && hostsWithout(found, only).length === 0)
		return named(context, found, only);
	return made(context, found, only);
}

/**
 * Of the nodes that are not deployed to: a node that is added must read what they write. One that cannot be asked is left
 * out, as its host is by --node.
 */
async function releasesElsewhere(
	context: OperationContext,
	found: readonly Found[],
): Promise<readonly string[]> {
	const chosen = new Set(
		found.flatMap(({ survey }) => [...survey.nodes.keys()]),
	);
	const others = context.inventory.nodes.filter(
		({ id, host }) => host !== "local" && !chosen.has(id),
	);
	const releases = await Promise.all(
		others.map((node) => currentRelease(context, node).catch(() => null)),
	);
	return releases.flatMap((release) => release?.version ?? []);
}

function currentOf({ survey }: Found): readonly string[] {
	return [...survey.nodes.values()].flatMap(({ current }) =>
		current === null ? [] : [current],
	);
}

export function hostsWithout(
	found: readonly Found[],
	version: string,
): readonly string[] {
	return found
		.filter(({ survey }) => !survey.releases.includes(version))
		.map(({ host }) => host);
}

async function named(
	context: OperationContext,
	found: readonly Found[],
	release: string,
): Promise<Offer> {
	const local = await context.machines.host("local");
	if (release.includes("/") || /\.(tgz|tar\.gz)$/.test(release)) {
		const archive = resolve(release);
		const manifest = await readArchive(local, archive);
		return { manifest, archive, archiveBytes: (await stat(archive)).size };
	}
	requireVersion(release, "nothing was touched");
	const without = hostsWithout(found, release);
	if (without.length > 0) {
		const archive = archivePath(context, release);
		const manifest = await readArchive(local, archive).catch(() => null);
		if (manifest?.version !== release)
			throw notThere(context, release, without);
		return { manifest, archive, archiveBytes: (await stat(archive)).size };
	}
	const [first] = found;
	const manifest =
		first === undefined
			? null
			: await installedRelease(context, first.host, release);
	if (manifest === null) throw notThere(context, release, without);
	return { manifest, archive: null, archiveBytes: null };
}

/**
 * One of this raftctl, the application of the cluster file and, where a host has none that fits, Node.js. Its version
 * follows from its content: whoever makes it again, of the same, has nothing to send. `wanted`: what other nodes have.
 */
async function made(
	context: OperationContext,
	found: readonly Found[],
	wanted: string | null,
): Promise<Offer> {
	const { inventory, programs, machines } = context;
	const staged = await stageRelease(
		{ local: await machines.host("local"), programs },
		{ app: inventory.app, withRuntime: needsRuntime(found) },
	);
	try {
		const version = `${staged.raftd}-${staged.digest.slice(0, 12)}`;
		if (wanted !== null && wanted !== version)
			return await named(context, found, wanted);
		const archive = archivePath(context, version);
		const present = await readArchive(
			await machines.host("local"),
			archive,
		).catch(() => null);
		if (present?.version === version)
			return {
				manifest: present,
				...{ archive, archiveBytes: (await stat(archive)).size },
			};
		await makeRoom(context);
		const { manifest, bytes } = await staged.pack(version, archive);
		return { manifest, archive, archiveBytes: bytes };
	} finally {
		await staged.dispose();
	}
}

/** Of this machine's kind it is put in as soon as one host lacks it: one release runs everywhere. */
function needsRuntime(found: readonly Found[]): boolean {
	const isLikeHere = found.every(
		(one) =>
			architectureOf(one) === process.arch && process.platform === "linux",
	);
	return isLikeHere && !found.every(hasFittingNodeJs);
}

/** Kept for the host that comes next; the one before it goes. */
function archivePath({ inventory }: OperationContext, version: string): string {
	return join(builtDirectory(inventory), `${version}.tgz`);
}

function builtDirectory({
	stateDirectory,
}: OperationContext["inventory"]): string {
	return join(stateDirectory, "built");
}

async function makeRoom({ inventory }: OperationContext): Promise<void> {
	const directory = builtDirectory(inventory);
	await mkdir(directory, { recursive: true, mode: 0o700 });
	for (const name of await readdir(directory))
		await rm(join(directory, name), { force: true, recursive: true });
}

function severalReleases(
	context: OperationContext,
	versions: readonly string[],
): OperatorError {
	return new OperatorError(
		"refused",
		`the nodes have several releases (${versions.join(", ")}), so it is not clear which one the others get`,
		{
			state: "nothing was touched",
			next: commandFor(context, `deploy --release ${versions[0]}`),
		},
	);
}

function notThere(
	context: OperationContext,
	version: string,
	hosts: readonly string[],
): OperatorError {
	return new OperatorError(
		"refused",
		`the release ${version} is not on ${hosts.join(", ")}`,
		{
			state: "nothing was touched",
			next: `name its archive: ${commandFor(context, "deploy --release PATH")}`,
		},
	);
}
