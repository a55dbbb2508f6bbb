import { basename } from "node:path";
import type { OperationContext } from "../context.js";
import { installedVersions } from "./installed.js";
import { programsDirectory, releaseDirectory } from "./places.js";

const removeTimeoutMs = 120_000;

/**
 * Removes the oldest releases of a host, so that `deploy.keepReleases` stay, and those besides that a node starts with.
 * Returns what was removed. What is left behind by a kill is found again the next time.
 */
export async function pruneReleases(
	context: OperationContext,
	hostName: string,
): Promise<readonly string[]> {
	const { inventory, machines, signal } = context;
	const versions = await installedVersions(context, hostName);
	const old = versions.slice(inventory.deploy.keepReleases);
	if (old.length === 0) return [];
	const host = await machines.host(hostName, "login");
	const programs = programsDirectory(inventory, hostName);
	const { stdout } = await host.run(
		// Of nodes that the cluster file does not have any more, too.
		["sh", "-c", 'readlink -- "$1"/*/current', "links", programs],
		{ timeoutMs: removeTimeoutMs, signal },
	);
	const used = stdout.split("\n").map((target) => basename(target));
	const unused = old.filter((version) => !used.includes(version));
	if (unused.length === 0) return [];
	const directories = unused.map((version) =>
		releaseDirectory(inventory, hostName, version),
	);
	await host.run(["rm", "-rf", "--", ...directories], {
		timeoutMs: removeTimeoutMs,
		signal,
	});
	return unused;
}
