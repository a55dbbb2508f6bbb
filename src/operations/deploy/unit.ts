import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import { unitOf } from "../../hosts/systemd-service.js";
import type { Programs } from "../context.js";
import { nodeConfigPath } from "../node-config.js";
import { releaseFiles } from "../releases/manifest.js";
import { currentLink } from "../releases/places.js";

/** What systemd waits beyond raftctl before it kills: whoever stops a node by hand is not to lose more than raftctl would. */
const stopSlackSeconds = 10;

/** The template that came with this raftctl. */
export function readUnitTemplate({ raftd }: Programs): Promise<string> {
	const home = resolve(raftd, "../../../..");
	return readFile(join(home, "templates/raftd.service"), "utf8");
}

/** The node's unit, of which comments stay behind: they are the template's. */
export function renderUnit(
	template: string,
	inventory: Inventory,
	node: NodeEntry,
): string {
	const unit = unitOf(inventory.name, node.id);
	const { stopTimeoutMs } = inventory.roll;
	const values: Readonly<Record<string, string>> = {
		cluster: inventory.name,
		node: node.id,
		unit: unit.replace(/\.service$/, ""),
		user: inventory.deploy.user,
		program: join(currentLink(inventory, node), releaseFiles.program),
		config: nodeConfigPath(inventory, node),
		paths: ownDirectories(inventory, node).map(quoted).join(" "),
		stopSeconds: String(Math.ceil(stopTimeoutMs / 1_000) + stopSlackSeconds),
	};
	const lines = template
		.split("\n")
		.filter((line) => !line.startsWith("#"))
		.map((line) =>
			line.replaceAll(
				/@([a-zA-Z]+)@/g,
				(word, name: string) => values[name] ?? word,
			),
		);
	const text = lines.join("\n").replaceAll(/\n{3,}/g, "\n\n");
	return `# Written by raftctl deploy; changes here are lost. For changes that stay: systemctl edit ${unit}\n${text.trimStart()}`;
}

/** What the daemon writes: its own directory, and its data where that lies elsewhere. */
export function ownDirectories(
	{ deploy }: Inventory,
	{ id, dataDirectory }: NodeEntry,
): readonly string[] {
	const own = join(deploy.state, id);
	return isInside(own, dataDirectory) ? [own] : [own, dataDirectory];
}

export function isInside(directory: string, path: string): boolean {
	const way = relative(directory, path);
	return way !== "" && !way.startsWith("..");
}

/** As a unit file takes a path: "%" begins a specifier. */
function quoted(path: string): string {
	const text = path.replaceAll("%", "%%");
	if (/^[A-Za-z0-9._/%-]+$/.test(text)) return text;
	return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
