import { dirname } from "node:path";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import { unitOf } from "../../hosts/systemd-service.js";
import { nodeConfigPath } from "../node-config.js";
import type { ReleaseManifest } from "../releases/manifest.js";
import { conflictsOf } from "./ports.js";
import { type Found, foreignIds } from "./survey.js";

/** Why nothing can be deployed on a host, and what mends it. */
export interface Fault {
	readonly host: string;
	readonly what: string;
	readonly remedy: string;
}

const oldestSystemd = 247;
const sudoers = "templates/sudoers has the lines for sudo: sudo -l, there";

/** Everything that stands in the way on one host; empty when nothing does. Looks at what was found only. */
export function hostFaults(inventory: Inventory, found: Found): Fault[] {
	const { host, survey } = found;
	const told = (what: string, remedy: string): Fault => ({
		...{ host, what, remedy },
	});
	if (survey.kernel !== "Linux" || survey.systemdVersion === null)
		return [
			told(
				"it has no systemd that answers",
				"nodes are units of systemd: use a machine that runs it",
			),
		];
	return [
		...(survey.systemdVersion < oldestSystemd
			? [
					told(
						`its systemd is ${survey.systemdVersion}`,
						`at least ${oldestSystemd} is needed: Debian 11, Ubuntu 22.04`,
					),
				]
			: []),
		...accountFaults(inventory, found, told),
		...placeFaults(inventory, found, told),
		...found.nodes.flatMap((node) =>
			nodeFaults(inventory, { found, node, told }),
		),
	];
}

type Tell = (what: string, remedy: string) => Fault;

function accountFaults(
	{ deploy }: Inventory,
	{ survey }: Found,
	told: Tell,
): Fault[] {
	const { accountGroup, denied, login } = survey;
	if (denied.includes("sudo"))
		return [
			told(
				`it has no sudo, and ${login} is not root`,
				"install sudo and templates/sudoers there, or log in as root",
			),
		];
	if (accountGroup === null && denied.includes("account"))
		return [
			told(
				`the account ${deploy.user} is missing, and sudo does not let ${login} make it`,
				`${sudoers}. Or as root: groupadd --system raftd; useradd --system --gid raftd ${deploy.user}`,
			),
		];
	if (accountGroup === null) return [];
	return [
		...(accountGroup === "raftd"
			? []
			: [
					told(
						`the account ${deploy.user} is in the group ${accountGroup}, not raftd`,
						`as root: usermod --gid raftd ${deploy.user}; or name another account as deploy.user`,
					),
				]),
		...(denied.includes("daemon")
			? [told(`sudo does not let ${login} act as ${deploy.user}`, sudoers)]
			: []),
	];
}

function placeFaults(
	{ deploy }: Inventory,
	{ survey }: Found,
	told: Tell,
): Fault[] {
	const { login, isRoot, denied, directory, state } = survey;
	const mayNotMake = (path: string, owner: string, mode: string) =>
		told(
			`${path} is missing, and sudo does not let ${login} make it`,
			`${sudoers}. Or as root: install -d -m ${mode} -o ${owner} -g raftd ${path}`,
		);
	return [
		...(directory === null &&
		survey.parent === null &&
		denied.includes("parent")
			? [mayNotMake(dirname(deploy.directory), login, "0755")]
			: []),
		...(directory === null &&
		denied.includes("directory") &&
		survey.parent?.user !== login
			? [mayNotMake(deploy.directory, login, "0755")]
			: []),
		...(directory === null || isRoot || directory.user === login
			? []
			: [
					told(
						`${deploy.directory} belongs to ${directory.user}, not to ${login}`,
						`log in as ${directory.user}, or as root: chown -R ${login} ${deploy.directory}`,
					),
				]),
		...(state === null && denied.includes("state")
			? [mayNotMake(deploy.state, deploy.user, "0750")]
			: []),
		...(state === null || state.user === deploy.user
			? []
			: [
					told(
						`${deploy.state} belongs to ${state.user}, not to ${deploy.user}`,
						`another cluster may be there: name another deploy.state, or as root: chown ${deploy.user}:raftd ${deploy.state}`,
					),
				]),
	];
}

function nodeFaults(
	inventory: Inventory,
	{
		found,
		node,
		told,
	}: { readonly found: Found; readonly node: NodeEntry; readonly told: Tell },
): Fault[] {
	const { survey, files } = found;
	const seen = survey.nodes.get(node.id);
	const own = files.get(node.id);
	const unit = unitOf(inventory.name, node.id);
	const foreign = own === undefined ? [] : foreignIds(inventory, own);
	const taken = seen?.runs === true ? [] : conflictsOf(node, survey.listens);
	return [
		...foreign.map((id) =>
			told(
				`${inventory.deploy.state}/${node.id} has a node of another cluster, ${id}; this one is ${inventory.id}`,
				"name another deploy.state, or remove that cluster with its own cluster file: raftctl destroy",
			),
		),
		...(isOfAnother(inventory, node, seen?.unit ?? null)
			? [
					told(
						`${unit} is there and runs a node of other directories`,
						"another cluster has a node of this name there: name the cluster or the node otherwise, or have its own raftctl destroy it",
					),
				]
			: []),
		...(seen?.others ?? []).map((other) =>
			told(
				`${other} uses the directories of ${node.id}, too`,
				"two clusters must not share deploy.directory or deploy.state: name others",
			),
		),
		...taken.map(({ name, address }) =>
			told(
				`another program listens on the ${name} port of ${node.id}, ${address}`,
				`there: ss -ltnp; stop it, or give ${node.id} another ${name}`,
			),
		),
		...(own?.dataFault == null
			? []
			: [
					told(
						`the data directory of ${node.id}, ${own.dataFault}, is missing or not writable for ${inventory.deploy.user}`,
						`as root: install -d -m 0750 -o ${inventory.deploy.user} -g raftd ${own.dataFault}`,
					),
				]),
		...(mayNotRun(found, node)
			? [
					told(
						`sudo does not let ${survey.login} start, stop and enable ${unit}`,
						sudoers,
					),
				]
			: []),
	];
}

function mayNotRun({ survey }: Found, { id }: NodeEntry): boolean {
	const { startsAtBoot = false } = survey.nodes.get(id) ?? {};
	const verbs = startsAtBoot ? ["start", "stop"] : ["start", "stop", "enable"];
	return verbs.some((verb) => survey.denied.includes(`${verb} ${id}`));
}

/** "a-b" of cluster "c" and "b" of cluster "c-a" have one unit's name. What was written by hand is not judged. */
function isOfAnother(
	inventory: Inventory,
	node: NodeEntry,
	unit: string | null,
): boolean {
	const config = /^ExecStart=.* --config (\S+)/m.exec(unit ?? "")?.[1];
	return config !== undefined && config !== nodeConfigPath(inventory, node);
}

/** Of a unit that has to be written, and may not be. */
export function unitFaults(
	inventory: Inventory,
	{ host, survey, nodes }: Found,
	units: ReadonlyMap<string, string | null>,
): Fault[] {
	return nodes.flatMap((node) => {
		const wanted = units.get(node.id) ?? null;
		if (wanted === null) return [];
		const unit = unitOf(inventory.name, node.id);
		const isDenied = [`unit ${node.id}`, "reload"].some((right) =>
			survey.denied.includes(right),
		);
		return isDenied
			? [
					{
						host,
						what: `${unit} is ${survey.nodes.get(node.id)?.unit === null ? "missing" : "not as it is to be"}, and sudo does not let ${survey.login} write it`,
						remedy: sudoers,
					},
				]
			: [];
	});
}

/** Node.js' names of what `uname -m` says. */
const architectures: Readonly<Record<string, string>> = {
	...{ x86_64: "x64", aarch64: "arm64", armv7l: "arm", i686: "ia32" },
	...{ ppc64le: "ppc64", s390x: "s390x", riscv64: "riscv64" },
};

/** The oldest Node.js that the daemon runs on. */
const oldestNodeJs: readonly [number, number] = [20, 19];

export function hasFittingNodeJs({ survey }: Found): boolean {
	const [, major, minor] = /^v(\d+)\.(\d+)/.exec(survey.nodeJs ?? "") ?? [];
	const [wantedMajor, wantedMinor] = oldestNodeJs;
	return (
		Number(major) > wantedMajor ||
		(Number(major) === wantedMajor && Number(minor) >= wantedMinor)
	);
}

export function architectureOf({ survey }: Found): string {
	return architectures[survey.arch] ?? survey.arch;
}

/** Why the release would not run on the host. */
export function releaseFaults(
	found: Found,
	{ version, runtime }: Pick<ReleaseManifest, "version" | "runtime">,
	bytes: number | null,
): Fault[] {
	const { host, survey } = found;
	if (survey.releases.includes(version)) return [];
	const arch = architectureOf(found);
	const faults: Fault[] = [];
	if (runtime === null && !hasFittingNodeJs(found))
		faults.push({
			host,
			what: `the release ${version} has no Node.js inside, and the host has ${survey.nodeJs ?? "none"}`,
			remedy: `install Node.js ${oldestNodeJs.join(".")} or later there, or build the release with --runtime`,
		});
	if (
		runtime !== null &&
		(runtime.platform !== "linux" || runtime.arch !== arch)
	)
		faults.push({
			host,
			what: `the release ${version} has a Node.js for ${runtime.platform} on ${runtime.arch}, and the host is linux on ${arch}`,
			remedy: `build the release on a machine like the host, or without --runtime and with Node.js installed there`,
		});
	const needed = bytes === null ? 0 : bytes * unpackedFactor;
	if (survey.freeForReleasesBytes < needed)
		faults.push({
			host,
			what: `the release ${version} needs ${mebibytes(needed)} MiB, and ${mebibytes(survey.freeForReleasesBytes)} are free`,
			remedy: "make room on the file system of deploy.directory",
		});
	return faults;
}

/** The archive, and what it is unpacked to: Node.js packs to a third. */
const unpackedFactor = 4.5;

function mebibytes(bytes: number): string {
	return (bytes / (1024 * 1024)).toFixed(0);
}
