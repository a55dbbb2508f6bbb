import { type AnyModel, impossible } from "./model.js";
import { endOf, type Operation } from "./operation.js";

/**
 * Tries every order of every choice of the operations that may have taken effect. For a handful of operations only; says
 * what the search must say, in as few words as can be.
 */
export function hasOrder(
	model: AnyModel,
	operations: readonly Operation[],
): boolean {
	const left = operations.filter(({ ending }) => ending.kind !== "failed");
	return continues(model, model.initial, left);
}

function continues(
	model: AnyModel,
	state: unknown,
	left: readonly Operation[],
): boolean {
	if (left.every(({ ending }) => ending.kind === "unknown")) return true;
	return left.some((next) => {
		// Whatever ended before it began has to come first.
		if (left.some((other) => endOf(other) < next.startedAtMs)) return false;
		const { ending, input } = next;
		const told = ending.kind === "done" ? ending : null;
		const after = model.step(state, input, told);
		if (after === impossible) return false;
		return continues(
			model,
			after,
			left.filter((other) => other !== next),
		);
	});
}
