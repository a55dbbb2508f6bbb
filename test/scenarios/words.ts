import type {
	ChangeOutcome,
	Configuration,
	Entry,
	Message,
	NodeId,
	Ready,
	Status,
} from "../../src/raft/types.js";

/** An entry by its index and term. */
export function place(index: number, term: number): string {
	return `${index}@${term}`;
}

/** Runs of one term are written as one: 2-4@1 5@3. */
export function placesOf(entries: readonly Entry[]): string {
	const runs: { term: number; first: number; last: number }[] = [];
	for (const { index, term } of entries) {
		const run = runs.at(-1);
		if (run?.term === term) run.last = index;
		else runs.push({ term, first: index, last: index });
	}
	return runs
		.map(({ first, last, term }) =>
			first === last ? place(first, term) : `${first}-${last}@${term}`,
		)
		.join(" ");
}

export function messageLine(message: Message): string {
	const { from, to, term } = message;
	return `${from} -> ${to}  ${saying(message)}, term ${term}`;
}

function saying(message: Message): string {
	switch (message.type) {
		case "vote-request": {
			const what = message.pre ? "would you vote for me" : "vote for me";
			const why = message.transfer ? ", the leader asked" : "";
			return `${what}, log to ${place(message.lastIndex, message.lastTerm)}${why}`;
		}
		case "vote-response": {
			const what = message.pre ? "pre-vote" : "vote";
			return `${what} ${message.granted ? "granted" : "refused"}`;
		}
		case "append-request": {
			const what = placesOf(message.entries) || "nothing";
			const after = place(message.prevIndex, message.prevTerm);
			return `append ${what} after ${after}, commit ${message.commit}`;
		}
		case "append-response":
			if (message.success) return `have all to ${message.match}`;
			if (message.session === 0) return "your term is over";
			return `cannot append after ${message.rejected}, perhaps after ${place(message.hintIndex, message.hintTerm)}`;
		case "heartbeat":
			return `heartbeat, commit ${message.commit}${round(message.read)}`;
		case "heartbeat-response":
			return `heartbeat heard${round(message.read)}`;
		case "snapshot-offer":
			return `fetch my snapshot ${place(message.snapshotIndex, message.snapshotTerm)}`;
		case "timeout-now":
			return "campaign now";
		case "read-request":
			return "from which index may I read";
		case "read-response":
			return message.index === null
				? "no reads here"
				: `read from ${message.index}`;
	}
}

function round(read: number): string {
	return read === 0 ? "" : `, read round ${read}`;
}

export function configurationText(configuration: Configuration): string {
	const { voters, outgoing, learners } = configuration;
	const names = (ids: readonly NodeId[]) => ids.join(" ") || "nobody";
	return [
		names(voters),
		outgoing.length === 0 ? "" : `, and also ${names(outgoing)}`,
		learners.length === 0 ? "" : `, learning ${names(learners)}`,
	].join("");
}

/** What is different about a node since the last look; null: there was none. */
export function changesOf(before: Status | null, now: Status): string[] {
	const lines: string[] = [];
	const { id, term, role, leader, commit } = now;
	if (
		before === null ||
		before.role !== role ||
		before.term !== term ||
		before.leader !== leader
	)
		lines.push(`${id} ${roleText(now)} in term ${term}`);
	if (before !== null && before.configurationIndex !== now.configurationIndex)
		lines.push(
			`${id} configuration of ${now.configurationIndex}: ${configurationText(now.configuration)}`,
		);
	if (before !== null && before.commit !== commit)
		lines.push(`${id} commits to ${commit}`);
	return lines;
}

export function roleText({ role, leader }: Status): string {
	if (role === "leader") return "leads";
	if (role === "follower") return `follows ${leader ?? "nobody"}`;
	return `is ${role}`;
}

/** What a Ready settles, and what it asks for beside messages. */
export function outcomesOf(id: NodeId, ready: Ready): string[] {
	const lines: string[] = [];
	if (ready.restore !== null)
		lines.push(`restores snapshot ${ready.restore.index}`);
	for (const { token, count, outcome, index } of ready.proposals) {
		const tokens = count === 1 ? `${token}` : `${token}-${token + count - 1}`;
		lines.push(`proposal ${tokens} ${outcome} at ${index}`);
	}
	for (const { token, index } of ready.reads)
		lines.push(
			index === null
				? `read ${token} not confirmed`
				: `read ${token} from ${index}`,
		);
	for (const { token, outcome, reason } of ready.transfers)
		lines.push(
			`transfer ${token} ${outcome}${reason === null ? "" : `: ${reason}`}`,
		);
	for (const change of ready.changes) lines.push(changeText(change));
	if (ready.download !== null) {
		const { from, index, term } = ready.download;
		lines.push(`wants snapshot ${place(index, term)} of ${from}`);
	}
	for (const { node, acknowledged, found } of ready.alarms)
		lines.push(
			`ALARM: ${node} acknowledged ${acknowledged} and now has ${found}`,
		);
	return lines.map((line) => `${id} ${line}`);
}

function changeText({ token, outcome, index, refusal }: ChangeOutcome): string {
	if (outcome === "done") return `change ${token} done at ${index}`;
	if (refusal === null) return `change ${token} ${outcome}`;
	const about = refusal.node === null ? "" : ` (${refusal.node})`;
	return `change ${token} refused: ${refusal.reason}${about}`;
}
