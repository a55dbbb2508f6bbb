import type { NodeStatus } from "../../cluster/engine.js";
import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import type { ReleaseManifest } from "../releases/manifest.js";

/**
 * What the cluster writes now, by the word of its leader; null when nobody is confirmed. Until it was set for the first
 * time, that is the lowest level which the leader reads.
 */
export function writeLevelOf(facts: ClusterFacts): number | null {
	const leader = confirmedLeader(facts);
	if (leader === null) return null;
	return leader.writeLevel?.level ?? leader.levels.readsFrom;
}

/**
 * Every reason why a node could not run the release that is meant for it, or could not read what the cluster writes with
 * it; empty when all can. A node that does not answer is no reason: the roll looks at that.
 */
export function releaseFaults(
	facts: ClusterFacts,
	releases: ReadonlyMap<string, ReleaseManifest | null>,
): readonly string[] {
	const level = writeLevelOf(facts);
	return [...releases].flatMap(([node, release]) => {
		const status = statusOf(facts, node);
		if (release === null || status === null) return [];
		return [
			...machineFaults(node, status, release),
			...(level === null ? [] : levelFaults(node, level, release)),
		];
	});
}

function machineFaults(
	node: string,
	{ machine }: NodeStatus,
	{ version, machine: offered }: ReleaseManifest,
): string[] {
	if (machine === offered.name) return [];
	return [
		`${node} runs the machine "${machine}", the release ${version} has "${offered.name}"`,
	];
}

function levelFaults(
	node: string,
	level: number,
	{ version, machine }: ReleaseManifest,
): string[] {
	const [first, last] = machine.reads;
	if (first <= level && level <= last) return [];
	const reads = first === last ? `${first}` : `${first} to ${last}`;
	return [
		`the cluster writes level ${level}; ${version}, for ${node}, reads ${reads}`,
	];
}
