import type { ClusterFacts } from "../cluster/facts.js";
import { confirmedLeader } from "../cluster/health.js";
import { commandFor, type OperationContext } from "./context.js";
import type { Program } from "./program.js";

/** A drained node is ready by every other measure, so only this tells why it takes no connections. */
export function warnOfDrains(
	context: OperationContext,
	facts: ClusterFacts,
): readonly string[] {
	return facts.nodes.flatMap(({ id, status }) => {
		if (!status?.drain.draining) return [];
		const { leaseLeftMs } = status.drain;
		context.emit({
			type: "warning",
			node: id,
			message: `up but drained, for another ${Math.ceil(leaseLeftMs / 1000)} s; ${commandFor(context, `undrain ${id}`)} ends that`,
		});
		return [id];
	});
}

export function warnOfStrangers(
	context: OperationContext,
	facts: ClusterFacts,
): readonly string[] {
	const leader = confirmedLeader(facts);
	if (leader === null) return [];
	const strangers = context.inventory.nodes.filter(
		({ id }) => !leader.members.some((member) => member.id === id),
	);
	for (const { id, role } of strangers) {
		const words = `add-learner ${id}${role === "voter" ? " --promote" : ""}`;
		context.emit({
			type: "warning",
			node: id,
			message: `in the cluster file, and no member of the cluster: let be; ${commandFor(context, words)} adds it`,
		});
	}
	return strangers.map(({ id }) => id);
}

export function warnOfOldConfiguration(
	context: OperationContext,
	{ name, node }: Program,
): void {
	const remedy =
		node === null
			? `${commandFor(context, "down")}, then up, applies the new one`
			: `${commandFor(context, `rolling-restart --node ${name}`)} applies the new one`;
	context.emit({
		type: "warning",
		node,
		message: `${name} runs with an older configuration; ${remedy}`,
	});
}
