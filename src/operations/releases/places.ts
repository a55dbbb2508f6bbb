import { join } from "node:path";
import type { Inventory, NodeEntry } from "../../config/inventory.js";

type Place = Pick<Inventory, "stateDirectory" | "deploy">;

/** Where a host has its releases, each in a directory named by its version. */
export function releasesDirectory(inventory: Place, host: string): string {
	return join(programsDirectory(inventory, host), "releases");
}

export function releaseDirectory(
	inventory: Place,
	host: string,
	version: string,
): string {
	return join(releasesDirectory(inventory, host), version);
}

/** The link to the release that a node starts with. Each node has its own: one goes first, and may go back alone. */
export function currentLink(inventory: Place, node: NodeEntry): string {
	return join(programsDirectory(inventory, node.host), node.id, "current");
}

/** Where a host has all that raftctl brings there to be run. */
export function programsDirectory(
	{ stateDirectory, deploy }: Place,
	host: string,
): string {
	return host === "local" ? stateDirectory : deploy.directory;
}
