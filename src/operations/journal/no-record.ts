import { type OperatorError, reworded, wayOnOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { hostLockStatus } from "./host-lock-turn.js";

/**
 * The silence of a cluster whose hosts keep no unfinished operation, with what follows from that: a restore or a recovery
 * writes its record before it touches anything. One that was killed before has left its lock at most, and nothing to resume.
 */
export async function withoutRecord(
	context: OperationContext,
	silence: OperatorError,
): Promise<OperatorError> {
	const held = await hostLockStatus(context);
	if (held === null)
		return reworded(silence, {
			...wayOnOf(silence),
			state:
				"the hosts keep nothing that is unfinished; what the cluster keeps is not known. A recover or a snapshot restore that left no record has changed nothing, and is given again",
		});
	const { operation, holder, isAlive } = held;
	return isAlive
		? reworded(silence, {
				state: `"${operation}" by ${holder} is under way, and has changed nothing yet`,
				next: commandFor(context, "operation list"),
			})
		: reworded(silence, {
				state: `"${operation}" by ${holder} was killed before it wrote its record: nothing was changed, and nothing is left to be resumed`,
				next: `${commandFor(context, operation)}: the same command again; it waits until the lock of who was killed is free`,
			});
}
