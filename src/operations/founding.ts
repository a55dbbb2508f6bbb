import { join } from "node:path";
import type { MemberStatus } from "../cluster/engine.js";
import type { NodeEntry } from "../config/inventory.js";
import { OperatorError } from "../errors.js";
import { lookAtCluster, type OperationContext } from "./context.js";

/** Made with a node's data directory, before anything else in it. */
const identityFile = "identity.json";

/**
 * A node without data founds the cluster of its file. That is right once. Beside nodes that have data, it would found a
 * second cluster under the same name, and with enough like it elect a leader that knows nothing of what was acknowledged
 * (P31). Throws OperatorError "refused" before anything is started.
 */
export async function refuseSecondFounding(
	context: OperationContext,
): Promise<void> {
	const { nodes } = context.inventory;
	const hasData = await Promise.all(nodes.map((node) => dataOf(context, node)));
	const empty = nodes.filter((_, at) => !hasData[at]);
	if (empty.length === 0 || empty.length === nodes.length) return;
	const members = await membersNow(context);
	const problems = empty.flatMap((node) => {
		const problem = problemWith(node, members);
		return problem === null ? [] : [`${node.id} ${problem}`];
	});
	if (problems.length > 0) throw refusal(problems);
	if (members === null && isQuorum(empty, nodes))
		throw refusal(
			empty.map(({ id }) => `${id} has no data, and no node that has any runs`),
		);
}

async function dataOf(
	{ machines }: OperationContext,
	{ host, dataDirectory }: NodeEntry,
): Promise<boolean> {
	const machine = await machines.host(host);
	return (await machine.read(join(dataDirectory, identityFile))) !== null;
}

/** As the newest configuration has it that a running node knows; null when none runs. */
async function membersNow(
	context: OperationContext,
): Promise<readonly MemberStatus[] | null> {
	const facts = await lookAtCluster(context, context.signal);
	const known = facts.nodes
		.flatMap(({ status }) => (status === null ? [] : [status]))
		.sort((a, b) => b.configurationIndex - a.configurationIndex);
	return known[0]?.members ?? null;
}

/** A founder that nobody has met yet may still come late. */
function problemWith(
	{ id }: NodeEntry,
	members: readonly MemberStatus[] | null,
): string | null {
	if (members === null) return null;
	const member = members.find((one) => one.id === id);
	if (member === undefined)
		return "is not a member of the cluster that runs already";
	return member.incarnation === ""
		? null
		: "is a member, and its data directory is gone or empty";
}

function isQuorum(
	some: readonly NodeEntry[],
	all: readonly NodeEntry[],
): boolean {
	const voters = (nodes: readonly NodeEntry[]) =>
		nodes.filter(({ role }) => role === "voter").length;
	return voters(some) * 2 > voters(all);
}

function refusal(problems: readonly string[]): OperatorError {
	return new OperatorError(
		"refused",
		"starting nodes without data beside nodes that have some would found a second cluster under the same name",
		{
			problems,
			state: "nothing was started and nothing was changed",
			next: "a new node, or one whose disk was lost, is started by hand with join: true and added (docs/membership.md); take it out of the cluster file until then. If nothing of the cluster is worth keeping, remove the data directories of all nodes",
		},
	);
}
