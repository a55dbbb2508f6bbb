import type { ClusterFacts } from "../cluster/facts.js";
import { confirmedLeader } from "../cluster/health.js";
import { commandFor, type OperationContext } from "./context.js";
import type { OperationView } from "./operations.js";
import type { Program } from "./program.js";
import { wayThroughUnfinished } from "./way-through.js";

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

/** And of what is not finished: it may be why they are no members, and comes first anyway. */
export function warnOfStrangers(
	context: OperationContext,
	facts: ClusterFacts,
	unfinished: OperationView | null,
): readonly string[] {
	const first = unfinished && wayThroughUnfinished(context, unfinished);
	if (first !== null)
		context.emit({ type: "warning", node: null, message: first });
	const leader = confirmedLeader(facts);
	if (leader === null) return [];
	const strangers = context.inventory.nodes.filter(
		({ id }) => !leader.members.some((member) => member.id === id),
	);
	for (const { id, role } of strangers) {
		const words = `add-learner ${id}${role === "voter" ? " --promote" : ""}`;
		const next =
			first === null
				? `${commandFor(context, words)} adds it`
				: "that comes first";
		context.emit({
			type: "warning",
			node: id,
			message: `in the cluster file, and no member of the cluster: let be; ${next}`,
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
