import { OperatorError } from "../errors.js";
import type { NodeRef } from "./engine.js";

/** The node could not take it for its clock: it is far ahead of the leader's. Another node may take the same. */
export class ClockAheadError extends OperatorError {
	constructor({ id }: Pick<NodeRef, "id">, message: string) {
		super("unreachable", message, {
			node: id,
			state: "it was not done",
			remedy: `set the clock of ${id} right (timedatectl there), or the leader's where that is the wrong one`,
			isLasting: true,
		});
	}
}
