import { reasonOf } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import type { Step } from "./step.js";

/**
 * Who gives up must be able to: what does not come about is told, kept in `unconfirmed` for the report, and somebody has to
 * look at it.
 */
export function tolerant(
	context: OperationContext,
	unconfirmed: string[],
	// Once: what was given up would be planned again and again.
	{ replan: _, ...step }: Step,
): Step {
	return {
		...step,
		async run(signal, progress) {
			try {
				return await step.run(signal, progress);
			} catch (error) {
				throwIfEnded(signal);
				const message = `${step.node ?? "the cluster"}: ${reasonOf(error)}`;
				context.emit({ type: "warning", node: step.node, message });
				unconfirmed.push(message);
				return "given up";
			}
		},
	};
}
