import { OperatorError, reasonOf } from "../../errors.js";
import { conflictsOf } from "../deploy/ports.js";
import type { Finding } from "./finding.js";
import { partsOf } from "./hosts.js";
import type { Looked, Seen } from "./look.js";

/*
 * What follows from what was seen on a host. Pure.
 */

/** A step of this length makes an operation of some dozens slow, and limits short. */
const slowStepMs = 500;
/** Beyond it a node's clock is refused by the leader (docs/raftd.md, "Clocks"). */
const wrongClockMs = 10_000;
const strayingClockMs = 2_000;
/** What Node.js 20 is built against. */
const oldestGlibc: readonly [number, number] = [2, 28];
/** A node with a small state; what the application holds comes on top. */
const memoryOfNodeBytes = 256 * 1024 * 1024;
/** A few segments of the log, a snapshot and the next one beside it. */
const neededBytes = 512 * 1024 * 1024;
const comfortableBytes = 2 * 1024 * 1024 * 1024;
/** Every write waits for the disks of a majority. */
const slowSyncMs = 20;

type Tell = (
	severity: Finding["severity"],
	check: Finding["check"],
	what: string,
	remedy: string,
) => Finding;

export function unreachableFinding({ role, error }: Looked): Finding {
	const next = error instanceof OperatorError ? error.next : undefined;
	return {
		...{ severity: "problem", host: role.name, check: "ssh" },
		what: reasonOf(error),
		remedy: next ?? `look from here: ssh ${role.name}`,
	};
}

/** Everything about one host but its clock, which is judged beside the others'. */
export function hostFindings(
	{ role, seen }: { readonly role: Looked["role"]; readonly seen: Seen },
	user: string,
): Finding[] {
	const tell: Tell = (severity, check, what, remedy) => ({
		...{ severity, host: role.name, check, what, remedy },
	});
	const isForNodes = role.nodes.length > 0;
	return [
		...stepFindings(seen, tell),
		...(isForNodes ? systemFindings(seen, tell) : []),
		...(isForNodes ? spaceFindings(seen, role.nodes.length, tell) : []),
		...rightFindings(seen, tell),
		...portFindings({ role, seen }, user, tell),
	];
}

function stepFindings({ stepMs, hasPerl }: Seen, tell: Tell): Finding[] {
	return [
		...(stepMs <= slowStepMs
			? []
			: [
					tell(
						"warning",
						"ssh",
						`a step takes ${Math.round(stepMs)} ms`,
						"look for a slow network, a busy machine, or UseDNS in its sshd_config; give longer limits under roll",
					),
				]),
		...(hasPerl
			? []
			: [
					tell(
						"note",
						"network",
						"it has no perl, so whether ports are reached is not known",
						"install perl-base, or look by hand: nc -l, and nc -vz from the others",
					),
				]),
	];
}

function systemFindings({ glibc }: Seen, tell: Tell): Finding[] {
	const [major = 0, minor = 0] = (glibc ?? "").split(".").map(Number);
	const [wantedMajor, wantedMinor] = oldestGlibc;
	if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor))
		return [];
	return [
		tell(
			"problem",
			"system",
			glibc === null
				? "its C library is not glibc, which the Node.js of a release needs"
				: `its glibc is ${glibc}, and the Node.js of a release needs ${oldestGlibc.join(".")}`,
			"use a newer system, or install Node.js there and build releases without --runtime",
		),
	];
}

function spaceFindings(
	{ availableMemoryBytes, freeBytes, syncMs }: Seen,
	nodes: number,
	tell: Tell,
): Finding[] {
	const findings: Finding[] = [];
	const memory = nodes * memoryOfNodeBytes;
	if (availableMemoryBytes !== null && availableMemoryBytes < memory)
		findings.push(
			tell(
				"warning",
				"memory",
				`${mebibytes(availableMemoryBytes)} MiB of memory are free, and ${nodes === 1 ? "a node needs" : `${nodes} nodes need`} ${mebibytes(memory)} and what the application holds`,
				"stop what else runs there, or take a larger machine",
			),
		);
	if (freeBytes !== null && freeBytes < comfortableBytes)
		findings.push(
			tell(
				freeBytes < neededBytes ? "problem" : "warning",
				"space",
				`${mebibytes(freeBytes)} MiB are free where nodes have their files; a log and its snapshots take at least ${mebibytes(neededBytes)}, and are at ease with ${mebibytes(comfortableBytes)}`,
				"make room there, or name another deploy.state",
			),
		);
	if (syncMs === null)
		findings.push(
			tell(
				"note",
				"disk",
				"how long a write takes there is not known: this account may write no file on that disk yet",
				"it is measured once the cluster is deployed",
			),
		);
	else if (syncMs > slowSyncMs)
		findings.push(
			tell(
				"warning",
				"disk",
				`a write takes ${syncMs.toFixed(1)} ms until it is on the disk, and every command waits for that`,
				"use a local disk or one with a protected cache, and leave it to raftd; etcd's advice is 10 ms at most",
			),
		);
	return findings;
}

/** So many are named. */
const shownRights = 4;

function rightFindings(
	{ denied, hasSudo, login, isRoot }: Seen,
	tell: Tell,
): Finding[] {
	if (isRoot) return [];
	if (!hasSudo)
		return [
			tell(
				"problem",
				"sudo",
				`it has no sudo, and ${login} is not root`,
				"install sudo and templates/sudoers there, or log in as root",
			),
		];
	if (denied.length === 0) return [];
	const more = denied.length - shownRights;
	return [
		tell(
			"warning",
			"sudo",
			`sudo does not let ${login} run: ${denied.slice(0, shownRights).join("; ")}${more > 0 ? `; and ${more} more` : ""}`,
			`install templates/sudoers there as /etc/sudoers.d/raftctl, with ${login} in it (what it allows: sudo -l), or do by hand what they are for`,
		),
	];
}

function portFindings(
	{ role, seen }: { readonly role: Looked["role"]; readonly seen: Seen },
	user: string,
	tell: Tell,
): Finding[] {
	return role.nodes.flatMap((node) =>
		seen.listeners
			// Whether it is the right one of the daemon's own programs is seen by whoever asks it.
			.filter(({ account }) => account !== user)
			.flatMap(({ local, account, program }) =>
				conflictsOf(node, [local]).map(({ name, address }) =>
					tell(
						"problem",
						"port",
						`another program has the ${name} port of ${node.id}, ${address}: ${program === "" ? "one" : program} of ${account}`,
						`on ${role.name}, as root: ss -ltnp 'sport = :${partsOf(address).port}'; stop it, or give ${node.id} another ${name} in the cluster file`,
					),
				),
			),
	);
}

/**
 * Clocks beside the median of all and this machine's, as far as it can be told: an answer takes time, and which part of it is
 * not known.
 */
export function clockFindings(
	hosts: readonly { readonly name: string; readonly seen: Seen }[],
): Finding[] {
	const sorted = [0, ...hosts.map(({ seen }) => seen.aheadMs)].sort(
		(one, other) => one - other,
	);
	const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
	return hosts.flatMap(({ name, seen }): Finding[] => {
		const awayMs = seen.aheadMs - median;
		const surelyMs = Math.abs(awayMs) - seen.aheadWithinMs;
		if (surelyMs <= strayingClockMs) return [];
		return [
			{
				severity: surelyMs > wrongClockMs ? "problem" : "warning",
				...{ host: name, check: "clock" },
				what: `its clock is ${(Math.abs(awayMs) / 1000).toFixed(1)} s ${awayMs > 0 ? "ahead of" : "behind"} the others'`,
				remedy: `on ${name}: timedatectl set-ntp true, and look with timedatectl timesync-status; sessions and locks count by it`,
			},
		];
	});
}

export function architectureFindings(
	hosts: readonly { readonly name: string; readonly seen: Seen }[],
): Finding[] {
	const all = new Map<string, string[]>();
	for (const { name, seen } of hosts)
		all.set(seen.arch, [...(all.get(seen.arch) ?? []), name]);
	if (all.size < 2) return [];
	const kinds = [...all].map(([arch, names]) => `${arch} ${names.join(", ")}`);
	return [
		{
			...{ severity: "warning", host: null, check: "system" },
			what: `the hosts are of several architectures: ${kinds.join("; ")}`,
			remedy:
				"build releases without --runtime, and install Node.js on the hosts",
		},
	];
}

function mebibytes(bytes: number): string {
	return String(Math.floor(bytes / (1024 * 1024)));
}
