import type {
	MemberStatus,
	MembershipChange,
	NodeStatus,
} from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";

/** What a node is to be in the end. */
export type Goal = "voter" | "learner" | "gone";

/** What a node is; null for no member. */
export type Role = MemberStatus["role"] | null;

type Members = readonly MemberStatus[];

export function memberOf(members: Members, id: string): MemberStatus | null {
	return members.find((member) => member.id === id) ?? null;
}

export type IsMember = (members: Members) => boolean;

export function isMember(id: string): IsMember {
	return (members) => memberOf(members, id) !== null;
}

export function roleOf(members: Members, id: string): Role {
	return memberOf(members, id)?.role ?? null;
}

/** A change of voters is under way: both the old and the new ones decide. */
export function isJoint(members: Members): boolean {
	return members.some(({ role }) => role === "outgoing");
}

/**
 * The one change that leads from `members` to the goals; empty when they are reached. Whoever is no member is not added:
 * that takes an incarnation. Pure.
 */
export function changesTowards(
	members: Members,
	goals: Readonly<Record<string, Goal>>,
): readonly MembershipChange[] {
	return Object.entries(goals).flatMap(([id, goal]): MembershipChange[] => {
		const role = roleOf(members, id);
		if (role === null || role === goal) return [];
		if (goal === "gone") return [{ id, type: "remove" }];
		return [{ id, type: goal === "voter" ? "promote" : "demote" }];
	});
}

export function areReached(
	members: Members,
	goals: Readonly<Record<string, Goal>>,
): boolean {
	return Object.entries(goals).every(
		([id, goal]) => (roleOf(members, id) ?? "gone") === goal,
	);
}

/** Who would vote once `changes` are made. Pure. */
export function votersAfter(
	members: Members,
	changes: readonly MembershipChange[],
): readonly string[] {
	const voters = new Set(
		members.filter(({ role }) => role === "voter").map(({ id }) => id),
	);
	for (const { id, type } of changes)
		if (type === "promote") voters.add(id);
		else if (type === "demote" || type === "remove") voters.delete(id);
	return [...voters];
}

/** Where the nodes stand that must be of one mind after a change. */
export interface Agreement {
	/** Members that answer with the leader's configuration. */
	readonly agreeing: readonly string[];
	/** Why each of the others does not: what it answers with, or that it does not. */
	readonly differing: readonly {
		readonly node: string;
		readonly fault: string;
	}[];
	/** Of the differing, those that gave no answer at all. */
	readonly silent: readonly string[];
}

/** Whether every member reports the leader's configuration: the same index, and the same members in it. Pure. */
export function judgeAgreement(
	facts: ClusterFacts,
	leader: NodeStatus,
): Agreement {
	const agreeing: string[] = [];
	const differing: { node: string; fault: string }[] = [];
	const silent: string[] = [];
	for (const { id } of leader.members) {
		const known = facts.nodes.find((one) => one.id === id);
		const status = known?.status ?? null;
		if (status === null) silent.push(id);
		const fault =
			status === null
				? (known?.fault ?? "is not known")
				: configurationFault(leader, status);
		if (fault === null) agreeing.push(id);
		else differing.push({ node: id, fault });
	}
	return { agreeing, differing, silent };
}

function configurationFault(
	leader: NodeStatus,
	status: NodeStatus,
): string | null {
	if (status.configurationIndex !== leader.configurationIndex)
		return `has the configuration of index ${status.configurationIndex}, the leader that of ${leader.configurationIndex}`;
	const says = describeMembers(status.members);
	const leaderSays = describeMembers(leader.members);
	return says === leaderSays
		? null
		: `names the members ${says}, the leader ${leaderSays}`;
}

/** "n1, n2, n3 and the learner n4", whatever the order; "the learners n4, n5" of two. */
export function describeMembers(members: Members): string {
	const named = (wanted: readonly MemberStatus["role"][]) =>
		members
			.filter(({ role }) => wanted.includes(role))
			.map(({ id }) => id)
			.sort();
	const learners = named(["learner"]);
	const parts = [
		named(["voter"]).join(", ") || "no voter",
		...withWord(learners.length === 1 ? "learner" : "learners", learners),
		...withWord("outgoing", named(["outgoing"])),
	];
	return parts.join(" and ");
}

function withWord(word: string, names: readonly string[]): readonly string[] {
	return names.length === 0 ? [] : [`the ${word} ${names.join(", ")}`];
}

/** "all 3 report n1, n2, n3", or "2 of 3 report n1, n2, n3; n3 does not answer". Pure. */
export function agreementText(
	{ agreeing, differing }: Agreement,
	members: Members,
): string {
	const count = agreeing.length;
	const verb = count === 1 ? "reports" : "report";
	const who =
		differing.length > 0
			? `${count} of ${members.length}`
			: count === 1
				? (agreeing[0] ?? "")
				: `all ${count}`;
	const others = differing.map(({ node, fault }) => `; ${node} ${fault}`);
	return `${who} ${verb} ${describeMembers(members)}${others.join("")}`;
}
