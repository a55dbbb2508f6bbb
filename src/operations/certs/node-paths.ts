import { join } from "node:path";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import { stateDirectoryOn } from "../../config/places.js";

/** Where a node's certificates lie on its host: whom it believes, and what it shows with its key in one file. */
export function nodeTlsPaths(
	inventory: Pick<Inventory, "stateDirectory" | "deploy">,
	{ id, host }: Pick<NodeEntry, "id" | "host">,
): { readonly ca: string; readonly leaf: string } {
	const directory = join(stateDirectoryOn(inventory, host), id, "tls");
	return { ca: join(directory, "ca.crt"), leaf: join(directory, "node.pem") };
}
