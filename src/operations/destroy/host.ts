import type { NodeEntry } from "../../config/inventory.js";
import { stateDirectoryOn } from "../../config/places.js";
import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import { isInside } from "../deploy/unit.js";
import { nodeConfigPath } from "../node-config.js";
import { programsDirectory } from "../releases/places.js";

/** A large state is removed as fast as its disk allows. */
const removeTimeoutMs = 600_000;
const lookTimeoutMs = 60_000;

/** What there is of the cluster on a host. */
export interface Remains {
	/** Units of systemd, of nodes that the cluster file does not have any more, too. */
	readonly units: readonly string[];
	/** Directories and files that hold what nodes wrote. */
	readonly state: readonly string[];
	/** What raftctl brought there to be run. */
	readonly programs: readonly string[];
	/** Of the host's nodes one that is of another cluster; null where there is none. */
	readonly foreign: string | null;
	/** The cluster's own directories that are there, empty or not. */
	readonly directories: readonly string[];
	/** There is an account whose files they are. */
	readonly hasAccount: boolean;
}

/** Of what lies there only what is the cluster's own by its name is told: the directories may be anybody's. */
const unitsScript = `cd /etc/systemd/system 2>/dev/null || exit 0
for unit in raftd-"$1"-*.service; do
	grep -qF -- "$2/" "$unit" 2>/dev/null || continue
	echo "$unit"
done
exit 0`;

const presentScript = `for path do
	if [ -e "$path" ] || [ -L "$path" ]; then printf '%s\\n' "$path"; fi
done
exit 0`;

/** Throws OperatorError "unreachable". */
export async function remainsOn(
	context: OperationContext,
	name: string,
): Promise<Remains> {
	const { inventory, machines } = context;
	const login = await machines.host(name, "login");
	const state = stateDirectoryOn(inventory, name);
	const units =
		name === "local"
			? []
			: await linesOf(login, [
					...["sh", "-c", unitsScript, "units"],
					...[inventory.name, state],
				]);
	const nodes = inventory.nodes.filter(({ host }) => host === name);
	const ids = new Set([
		...nodes.map(({ id }) => id),
		...units.map((unit) => nodeOf(inventory.name, unit)),
	]);
	const hasAccount = await hasDaemon(context, login, name);
	const daemon = hasAccount ? await machines.host(name) : login;
	const programs = programsDirectory(inventory, name);
	return {
		units,
		state: await present(daemon, [
			...[...ids].map((id) => `${state}/${id}`),
			...nodes
				.filter(
					({ id, dataDirectory }) => !isInside(`${state}/${id}`, dataDirectory),
				)
				.map(({ dataDirectory }) => dataDirectory),
			...[`${state}/operations`, `${state}/restored`],
			...(await lockFiles(daemon, state)),
			...(name === "local" ? [`${state}/balancer`, `${state}/built`] : []),
		]),
		programs: await present(login, [
			`${programs}/releases`,
			...(name === "local" ? [] : [...ids].map((id) => `${programs}/${id}`)),
		]),
		foreign: await foreignAmong(context, daemon, nodes),
		directories:
			name === "local" ? [] : await present(login, [state, programs]),
		hasAccount,
	};
}

/** Whether there is an account whose files may be looked at. */
async function hasDaemon(
	{ inventory }: OperationContext,
	login: Host,
	name: string,
): Promise<boolean> {
	if (name === "local") return true;
	const { exitCode } = await login.run(
		["id", "-u", "--", inventory.deploy.user],
		{ timeoutMs: lookTimeoutMs },
	);
	return exitCode === 0;
}

function nodeOf(cluster: string, unit: string): string {
	return unit.slice(`raftd-${cluster}-`.length, -".service".length);
}

async function lockFiles(host: Host, state: string): Promise<string[]> {
	const found = await linesOf(host, ["ls", "-A", state]);
	return found
		.filter((name) => name.startsWith("operation.lock"))
		.map((name) => `${state}/${name}`);
}

async function present(
	host: Host,
	paths: readonly string[],
): Promise<readonly string[]> {
	const unique = [...new Set(paths)];
	return linesOf(host, ["sh", "-c", presentScript, "look", ...unique]);
}

async function linesOf(host: Host, argv: readonly string[]): Promise<string[]> {
	const { stdout } = await host.run(argv, { timeoutMs: lookTimeoutMs });
	return stdout.split("\n").filter((line) => line !== "");
}

async function foreignAmong(
	{ inventory }: OperationContext,
	host: Host,
	nodes: readonly NodeEntry[],
): Promise<string | null> {
	for (const node of nodes) {
		const config = await host.read(nodeConfigPath(inventory, node));
		const identity = await host.read(`${node.dataDirectory}/identity.json`);
		const ids = [await clusterIn(config), await clusterIn(identity)];
		const other = ids.find((id) => id !== null && id !== inventory.id);
		if (other != null) return `${node.id} of ${other}`;
	}
	return null;
}

/** node.yaml and identity.json: what is JSON is YAML, too. Null for what nobody can read. */
async function clusterIn(content: Uint8Array | null): Promise<string | null> {
	if (content === null) return null;
	const { parse } = await import("yaml");
	try {
		const read = parse(Buffer.from(content).toString("utf8"));
		const id: unknown = read?.cluster?.id ?? read?.clusterId;
		return typeof id === "string" ? id : null;
	} catch {
		return null;
	}
}

const asRoot = `as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
`;

/** In this order: what systemd does not know any more it does not start either. */
const removeUnits = `set -eu
${asRoot}
for unit do
	as_root systemctl stop "$unit"
	as_root systemctl disable "$unit" 2>&1
	as_root rm -f "/etc/systemd/system/$unit"
done
as_root systemctl daemon-reload
for unit do as_root systemctl reset-failed "$unit" >/dev/null 2>&1 || true; done`;

/** A directory that lies in another's stays, empty: it is not the daemon's to remove. */
const removeFiles = `failed=0
for path do
	rm -rf -- "$path" 2>/dev/null || true
	[ ! -e "$path" ] || [ -z "$(ls -A -- "$path" 2>&1)" ] || { echo "$path stays"; failed=1; }
done
exit $failed`;

const removeEmpty = `${asRoot}
for path do
	[ ! -d "$path" ] || rmdir -- "$path" 2>/dev/null || as_root rmdir "$path"
done`;

export async function removeUnitsOn(
	{ machines }: OperationContext,
	name: string,
	units: readonly string[],
): Promise<void> {
	const host = await machines.host(name, "login");
	await must(host, ["sh", "-c", removeUnits, "destroy", ...units]);
}

/** "daemon" for what the nodes wrote, "login" for what was brought there. */
export async function removeFilesOn(
	{ machines }: OperationContext,
	name: string,
	as: "daemon" | "login",
	paths: readonly string[],
): Promise<void> {
	const host = await machines.host(name, as);
	await must(host, ["sh", "-c", removeFiles, "destroy", ...paths]);
}

/** Once nothing is in them. */
export async function removeDirectoriesOn(
	{ machines }: OperationContext,
	name: string,
	paths: readonly string[],
): Promise<void> {
	const host = await machines.host(name, "login");
	await must(host, ["sh", "-c", removeEmpty, "destroy", ...paths]);
}

async function must(host: Host, argv: readonly string[]): Promise<void> {
	const { exitCode, stdout, stderr } = await host.run(argv, {
		timeoutMs: removeTimeoutMs,
	});
	if (exitCode === 0) return;
	const said = (stderr.trim() || stdout.trim()).split("\n").slice(0, 5);
	throw new OperatorError("partial", said.join("; "), {
		node: host.name,
		next: `on ${host.name}: sudo -l; templates/sudoers has what it must allow`,
	});
}
