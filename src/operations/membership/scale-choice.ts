import type { MemberStatus } from "../../cluster/engine.js";
import type { NodeEntry } from "../../config/inventory.js";
import { roleOf } from "./members.js";

/** Which nodes change their vote, and why. */
export interface ScaleChoice {
	readonly add: readonly Chosen[];
	/** Learners, and those of `add`. */
	readonly promote: readonly Chosen[];
	readonly demote: readonly Chosen[];
	/** How many voters cannot be found; 0 when all can. */
	readonly missing: number;
}

export interface Chosen {
	readonly node: string;
	readonly reason: string;
}

interface ScaleQuestion {
	readonly voters: number;
	readonly members: readonly MemberStatus[];
	/** Of the cluster file, in its order. */
	readonly nodes: readonly NodeEntry[];
	readonly leader: string;
	/** Voters and learners that are up and caught up. */
	readonly sound: readonly string[];
}

/**
 * Who is to vote so that there are so many voters. More: learners that have caught up, then other learners, then nodes of
 * the file that are no members; those that the file has as voters first. Fewer: voters that are down, then those that the
 * file does not have as voters, then the last of the file; the leader last of all. Pure.
 */
export function chooseVoters(question: ScaleQuestion): ScaleChoice {
	const { voters, members } = question;
	const present = members.filter(({ role }) => role === "voter");
	const more = voters - present.length;
	return more >= 0
		? { ...chooseMore(question, more), demote: [] }
		: {
				...{ add: [], promote: [], missing: 0 },
				demote: chooseFewer(question, -more),
			};
}

function chooseMore(
	{ members, nodes, sound }: ScaleQuestion,
	count: number,
): Omit<ScaleChoice, "demote"> {
	const isWished = (id: string) =>
		nodes.some((node) => node.id === id && node.role === "voter");
	const wishedFirst = (a: Chosen, b: Chosen) =>
		Number(isWished(b.node)) - Number(isWished(a.node));
	const learners = members.filter(({ role }) => role === "learner");
	const ready = learners
		.filter(({ id }) => sound.includes(id))
		.map(({ id }) => ({ node: id, reason: "a learner that has caught up" }));
	const late = learners
		.filter(({ id }) => !sound.includes(id))
		.map(({ id }) => ({ node: id, reason: "a learner" }));
	const strangers = nodes
		.filter(({ id }) => roleOf(members, id) === null)
		.map(({ id }) => ({ node: id, reason: "in the file, and no member yet" }));
	const chosen = [ready, late, strangers]
		.flatMap((group) => [...group].sort(wishedFirst))
		.slice(0, count);
	return {
		add: chosen.filter(({ node }) => roleOf(members, node) === null),
		promote: chosen,
		missing: count - chosen.length,
	};
}

function chooseFewer(
	{ members, nodes, leader, sound }: ScaleQuestion,
	count: number,
): readonly Chosen[] {
	const place = (id: string) => nodes.findIndex((node) => node.id === id);
	const rankOf = (id: string): [number, string] => {
		if (id === leader) return [4, "nobody else is left; it hands over first"];
		if (!sound.includes(id)) return [0, "it is down or behind"];
		const entry = nodes[place(id)];
		if (entry === undefined) return [1, "it is not in the file"];
		if (entry.role === "learner") return [2, "a learner in the file"];
		return [3, "the last of the file"];
	};
	return members
		.filter(({ role }) => role === "voter")
		.map(({ id }) => ({ node: id, rank: rankOf(id) }))
		.sort((a, b) => a.rank[0] - b.rank[0] || place(b.node) - place(a.node))
		.slice(0, count)
		.map(({ node, rank }) => ({ node, reason: rank[1] }));
}
