import type { NodeId } from "../../src/raft/types.js";
import type { TinyNode } from "../raft/cluster.js";
import { selection } from "./selections.js";
import type { Stage } from "./stage.js";

type Claim = (stage: Stage, words: readonly string[]) => string | null;

/** What a scenario asserts, so that writing its outputs anew cannot hide that it no longer holds. */
const claims: Record<string, Claim> = {
	/** leader n1 term 2: it leads, in that term, and nobody else in any. */
	leader: (stage, [id, , term]) => {
		const leaders = stage.running
			.filter((node) => node.role === "leader")
			.map((node) => `${node.id} in term ${node.term}`);
		return differ(leaders.join(", "), `${id} in term ${term}`);
	},
	role: (stage, [id, role]) => differ(stage.live(id).role, role),
	term: (stage, [id, term]) => differ(stage.live(id).term, term),
	follows: (stage, [id, leader]) =>
		differ(status(stage, id).leader ?? "nobody", leader),
	vote: (stage, [id, vote]) =>
		differ(status(stage, id).votedFor ?? "nobody", vote),
	commit: (stage, [id, index]) => differ(stage.live(id).commit, index),
	durable: (stage, [id, index]) =>
		differ(status(stage, id).durableIndex, index),
	applied: (stage, [id, index]) => differ(status(stage, id).applied, index),
	first: (stage, [id, index]) => differ(status(stage, id).firstIndex, index),
	last: (stage, [id, index]) => differ(status(stage, id).lastIndex, index),
	/** log n1 1 1 4: the terms of the entries that it holds. */
	log: (stage, [id, ...terms]) =>
		differ(stage.node(id).terms.join(" "), terms.join(" ")),
	voters: (stage, [id, ...ids]) =>
		differ(members(stage, id).voters, ids.join(" ")),
	/** outgoing n1 n1 n2 · outgoing n1 nobody */
	outgoing: (stage, [id, ...ids]) =>
		differ(members(stage, id).outgoing, ids.join(" ")),
	learners: (stage, [id, ...ids]) =>
		differ(members(stage, id).learners, ids.join(" ")),
	/** follower n1 n2 replicate match 5 */
	follower: (stage, [id, other, state, , match]) => {
		const found = status(stage, id).followers.find((one) => one.id === other);
		const seen = `${found?.state} match ${found?.match}`;
		return differ(seen, `${state} match ${match}`);
	},
	/** counted n1 n2 yes */
	counted: (stage, [id, other, answer]) => {
		const found = status(stage, id).followers.find((one) => one.id === other);
		return differ(found?.counted ? "yes" : "no", answer);
	},
	/** outcome n1 proposal 1 committed · ... read 2 5 · ... change 3 refused quorum-at-risk · ... transfer 4 none */
	outcome: (stage, [id, kind, token, ...what]) =>
		differ(outcome(stage.node(id), kind, Number(token)), what.join(" ")),
	/** alarm n1 n2 · alarm n1 nobody */
	alarm: (stage, [id, node]) =>
		differ(
			stage
				.node(id)
				.alarms.map((alarm) => alarm.node)
				.join(" ") || "nobody",
			node,
		),
	/** lease n1 yes · lease n1 no 500: asked that much later. */
	lease: (stage, [id, answer, later]) => {
		const node = stage.live(id);
		const holds = node.raft.holdsLease(node.nowMs + Number(later ?? 0));
		return differ(holds ? "yes" : "no", answer);
	},
	/** wants n2 10: the snapshot that it was last told to fetch. */
	wants: (stage, [id, index]) =>
		differ(stage.node(id).download?.index ?? "nothing", index),
	/** restored n2 10 · restored n2 nothing */
	restored: (stage, [id, index]) =>
		differ(stage.node(id).restored.at(-1)?.index ?? "nothing", index),
	/** wire n1->n2 append 2: how many such messages are on it. */
	wire: (stage, words) => {
		const count = stage.wire.filter(selection(words.slice(0, -1))).length;
		return differ(count, words.at(-1));
	},
	/** grants n2 1: how many votes it has on the wire, pre-votes not counted. */
	grants: (stage, [id, count]) =>
		differ(
			stage.wire.filter(
				(message) =>
					message.type === "vote-response" &&
					message.from === id &&
					message.granted &&
					!message.pre,
			).length,
			count,
		),
	/** no leader */
	no: (stage, [what]) => {
		if (what !== "leader") return `not understood: no ${what}`;
		const leader = stage.running.find((node) => node.role === "leader");
		return leader === undefined ? null : `${leader.id} leads`;
	},
};

export function expectation(stage: Stage, words: readonly string[]): void {
	const [name = "", ...rest] = words;
	const claim = claims[name];
	if (claim === undefined) throw new Error(`no such expectation: ${name}`);
	const wrong = claim(stage, rest);
	if (wrong !== null) throw new Error(wrong);
}

function differ(
	seen: string | number,
	expected: string | number | undefined,
): string | null {
	return `${seen}` === `${expected}` ? null : `it is ${seen}`;
}

function status(stage: Stage, id: NodeId | undefined) {
	return stage.live(id).raft.status();
}

function members(stage: Stage, id: NodeId | undefined) {
	const { voters, outgoing, learners } = status(stage, id).configuration;
	const names = (ids: readonly NodeId[]) => ids.join(" ") || "nobody";
	return {
		voters: names(voters),
		outgoing: names(outgoing),
		learners: names(learners),
	};
}

/** How it ended; `none` while it has not. */
function outcome(
	node: TinyNode,
	kind: string | undefined,
	token: number,
): string {
	switch (kind) {
		case "proposal": {
			const found = node.proposals.filter(
				(one) => one.token <= token && token < one.token + one.count,
			);
			return found.map((one) => one.outcome).join(" ") || "none";
		}
		case "read": {
			const found = node.reads.filter((one) => one.token === token);
			return found.map((one) => one.index ?? "failed").join(" ") || "none";
		}
		case "transfer": {
			const found = node.transfers.filter((one) => one.token === token);
			const text = found.map(({ outcome, reason }) =>
				reason === null ? outcome : `${outcome} ${reason}`,
			);
			return text.join(" ") || "none";
		}
		case "change": {
			const found = node.changes.filter((one) => one.token === token);
			const text = found.map(({ outcome, refusal }) =>
				refusal === null ? outcome : `${outcome} ${refusal.reason}`,
			);
			return text.join(" ") || "none";
		}
		default:
			throw new Error(`no such thing has an outcome: ${kind}`);
	}
}
