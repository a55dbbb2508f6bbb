import { ClockAheadError } from "../cluster/clock-ahead.js";
import type { Engine, NodeRef } from "../cluster/engine.js";
import { completed, OperatorError, remediesOf } from "../errors.js";
import { commandFor, type OperationContext, refOf } from "./context.js";
import { isSilence } from "./wait.js";

/**
 * Asks node after node until one answers; a refusal is an answer, but for that of a node whose clock is off: that is told,
 * and the next one asked. Throws the silence when none does: of several nodes one that names each, of the last one's kind.
 */
export async function askAnyNode<Result>(
	context: OperationContext,
	call: (node: NodeRef) => Promise<Result>,
): Promise<Result> {
	const { nodes } = context.inventory;
	const silences: OperatorError[] = [];
	for (const entry of nodes) {
		try {
			const answer = await call(refOf(entry));
			for (const silence of silences) tellOfClock(context, silence);
			return answer;
		} catch (error) {
			if (!isSilence(error)) throw error;
			silences.push(error);
		}
	}
	throw completed(silenceOf(nodes, silences), {
		next: commandFor(context, "status"),
	});
}

/** By what every part of one operation goes through. */
const toldOf = new WeakMap<Engine, Set<string>>();

/** Once: a lock is renewed every few seconds. */
function tellOfClock(
	{ engine, emit }: OperationContext,
	silence: OperatorError,
): void {
	if (!(silence instanceof ClockAheadError)) return;
	const { node = "", message, remedy } = silence;
	const told = toldOf.get(engine) ?? new Set();
	if (told.has(node)) return;
	toldOf.set(engine, told.add(node));
	const text = `${message}; another node was asked. Next: ${remedy}`;
	emit({ type: "warning", node, message: text });
}

function silenceOf(
	nodes: readonly { readonly id: string }[],
	silences: readonly OperatorError[],
): OperatorError {
	const last = silences.at(-1);
	if (last === undefined)
		return new OperatorError("unreachable", "there is no node to ask");
	if (silences.length === 1) return last;
	return new OperatorError(
		last.kind,
		`none of ${nodes.map(({ id }) => id).join(", ")} gives an answer`,
		{
			problems: silences.map(({ message }) => message),
			isLasting: silences.every(({ isLasting }) => isLasting),
			...remedyOf(silences),
			cause: last,
		},
	);
}

/** Of clocks: whatever else is silent may answer the next time. */
function remedyOf(silences: readonly OperatorError[]) {
	const clocks = silences.filter((one) => one instanceof ClockAheadError);
	const [remedy] = remediesOf(clocks);
	return remedy === undefined ? {} : { remedy };
}
