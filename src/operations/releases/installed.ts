import { join } from "node:path";
import type { NodeEntry } from "../../config/inventory.js";
import { isOfFullDisk, OperatorError, roomOn } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import type { RunRelease } from "../node-config.js";
import {
	manifestName,
	parseManifest,
	type ReleaseManifest,
	releaseFiles,
} from "./manifest.js";
import { currentLink, releaseDirectory, releasesDirectory } from "./places.js";

const commandTimeoutMs = 10_000;

/** The release that the node starts with next; null where none was put there, and the programs of this raftctl are used. */
export async function currentRelease(
	{ inventory, machines }: Pick<OperationContext, "inventory" | "machines">,
	node: NodeEntry,
): Promise<ReleaseManifest | null> {
	const host = await machines.host(node.host, "login");
	return readManifest(host, currentLink(inventory, node));
}

/** Of a release on the host; null when it is not there. */
export async function installedRelease(
	{ inventory, machines }: Pick<OperationContext, "inventory" | "machines">,
	hostName: string,
	version: string,
): Promise<ReleaseManifest | null> {
	const host = await machines.host(hostName, "login");
	return readManifest(host, releaseDirectory(inventory, hostName, version));
}

async function readManifest(
	host: Host,
	directory: string,
): Promise<ReleaseManifest | null> {
	const path = join(directory, manifestName);
	const bytes = await host.read(path);
	if (bytes === null) return null;
	return parseManifest(
		Buffer.from(bytes).toString("utf8"),
		`${path} on ${host.name}`,
	);
}

/** The same, as the node's configuration has it. */
export async function runRelease(
	context: Pick<OperationContext, "inventory" | "machines">,
	node: NodeEntry,
): Promise<RunRelease | null> {
	const release = await currentRelease(context, node);
	if (release === null) return null;
	const { version, app } = release;
	const directory = releaseDirectory(context.inventory, node.host, version);
	return { version, app: app === null ? null : join(directory, app) };
}

/** What starts the node's raftd: of its release, or what came with this raftctl. */
export async function programOf(
	context: Pick<OperationContext, "inventory" | "machines" | "programs">,
	node: NodeEntry,
): Promise<readonly string[]> {
	const { programs, inventory } = context;
	const release = await currentRelease(context, node);
	if (release === null) return [programs.node, programs.raftd];
	const link = currentLink(inventory, node);
	return [
		release.runtime === null ? programs.node : join(link, releaseFiles.node),
		join(link, releaseFiles.daemon),
	];
}

// In one step: there is no moment at which a start would find no release.
const switchScript = `
set -eu
umask 022
mkdir -p "$(dirname "$2")"
ln -sfn "$1" "$2.next"
mv -fT "$2.next" "$2"
sync "$(dirname "$2")"
`;

/** From its next start on, the node runs this release, which is there. */
export async function switchRelease(
	{ inventory, machines }: OperationContext,
	node: NodeEntry,
	version: string | null,
): Promise<void> {
	const host = await machines.host(node.host, "login");
	const link = currentLink(inventory, node);
	const argv =
		version === null
			? ["rm", "-f", link]
			: [
					...["sh", "-c", switchScript, "switch-release"],
					releaseDirectory(inventory, node.host, version),
					link,
				];
	const { exitCode, stderr } = await host.run(argv, {
		timeoutMs: commandTimeoutMs,
	});
	if (exitCode === 0) return;
	throw new OperatorError(
		isOfFullDisk(stderr) ? "refused" : "unexpected",
		`${node.id} could not be given ${version ?? "the programs of this raftctl"}: ${stderr.trim()}`,
		{
			...{ node: node.id, state: "it starts with the same release as before" },
			...(isOfFullDisk(stderr) ? { remedy: roomOn(host.name) } : {}),
		},
	);
}

/** The versions on the host, newest first by when they came. */
export async function installedVersions(
	{ inventory, machines }: OperationContext,
	hostName: string,
): Promise<readonly string[]> {
	const host = await machines.host(hostName, "login");
	const directory = releasesDirectory(inventory, hostName);
	const { exitCode, stdout } = await host.run(["ls", "-1t", directory], {
		timeoutMs: commandTimeoutMs,
	});
	if (exitCode !== 0) return [];
	return stdout.split("\n").filter((name) => name !== "" && !isTemporary(name));
}

/** What a release is called while it is on its way, and its archive. */
export function isTemporary(name: string): boolean {
	return name.startsWith(".");
}
