import { adminCall, type NodeFile, probe } from "../daemon/raftd-process.js";
import { eventually } from "./local-cluster.js";

/** What a status says that these tests look at. */
export interface StatusJson {
	readonly nodeId: string;
	readonly incarnation: string;
	readonly role: string;
	readonly term: string;
	readonly leaderId?: string;
	readonly firstIndex: string;
	readonly appliedIndex?: string;
	readonly snapshotIndex?: string;
	readonly connectedPeers?: string[];
	readonly configuration?: {
		readonly index?: string;
		readonly members?: { id: string; role: string; incarnation?: string }[];
	};
	readonly alarms?: { kind: string; node: string; message: string }[];
	readonly writeLevel?: { level: number; release: string };
}

export async function statusOf(node: NodeFile): Promise<StatusJson> {
	return (await adminCall(node, "GetStatus")) as unknown as StatusJson;
}

/** Whoever leads among these, as soon as it says so itself. */
export async function leaderOf(nodes: readonly NodeFile[]): Promise<NodeFile> {
	return await eventually(async () => {
		for (const node of nodes) {
			const status = await statusOf(node).catch(() => null);
			if (status?.role === "leader") return node;
		}
		return null;
	}, "a leader");
}

export interface ChangeAnswer {
	readonly index?: string;
	readonly code?: string;
	readonly message?: string;
	readonly details?: { debug?: { reason?: string; node?: string } }[];
}

/** Asks the leader, and asks again while another change is under way, or the leader is new. */
export async function changeOnce(
	nodes: readonly NodeFile[],
	request: object,
): Promise<ChangeAnswer> {
	return await eventually(async () => {
		const leader = await leaderOf(nodes);
		const answer = (await adminCall(leader, "ChangeMembership", request).catch(
			() => null,
		)) as ChangeAnswer | null;
		if (answer === null) return null;
		const reason = answer.details?.[0]?.debug?.reason ?? "";
		const passing = ["change-in-flight", "term-not-committed", "transferring"];
		const isElsewhere = answer.message?.includes("does not lead") === true;
		return passing.includes(reason) || isElsewhere ? null : answer;
	}, "an answer to the change");
}

/** Changes the membership; learners are waited for, and what nobody knows the end of is asked for again. */
export async function change(
	nodes: readonly NodeFile[],
	...changes: readonly object[]
): Promise<void> {
	let isUncertain = false;
	await eventually(
		async () => {
			const answer = await changeOnce(nodes, { changes });
			if (answer.index !== undefined) return true;
			const { reason = "" } = answer.details?.[0]?.debug ?? {};
			const retried =
				answer.code === "aborted" || answer.code === "unavailable";
			isUncertain ||= retried;
			if (retried || reason.startsWith("target-")) return false;
			if (isUncertain && isThereAlready.includes(reason)) return true;
			throw new Error(`not changed: ${JSON.stringify(answer)}`);
		},
		`the change ${JSON.stringify(changes)}`,
	);
}

/** What a second attempt hears when the first one came about. */
const isThereAlready = [
	...["duplicate-member", "unknown-member", "nothing-to-change"],
	...["not-a-learner", "not-a-voter"],
];

export async function newMember(node: NodeFile): Promise<object> {
	const { incarnation } = await statusOf(node);
	return {
		...{ id: node.id, type: "add", incarnation },
		...{ peerAddress: node.peer, clientAddress: node.client },
		adminAddress: node.admin,
	};
}

/** One sample of the node's metrics; null when it has no such. */
export async function metric(
	node: NodeFile,
	sample: string,
): Promise<number | null> {
	const text = await (await fetch(`http://${node.admin}/metrics`)).text();
	const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
	return line === undefined ? null : Number(line.slice(sample.length + 1));
}

export async function isReady(node: NodeFile): Promise<boolean> {
	return (await probe(node, "/readyz")) === 200;
}
