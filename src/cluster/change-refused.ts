import { OperatorError } from "../errors.js";
import type { CatchUpView, StoredOperation } from "./engine.js";

/** A membership change that the core refused: nothing was changed. `reason` as docs/membership.md lists them. */
export class ChangeRefusedError extends OperatorError {
	constructor(
		message: string,
		readonly refusal: {
			readonly reason: string;
			/** Null when it is about no member. */
			readonly node: string | null;
			readonly catchUp: CatchUpView | null;
		},
		cause?: unknown,
	) {
		super("refused", message, {
			...(refusal.node === null ? {} : { node: refusal.node }),
			cause,
		});
	}
}

/** Another operation is not finished: it is resumed or aborted first. */
export class UnfinishedOperationError extends OperatorError {
	constructor(
		message: string,
		readonly operation: StoredOperation,
		cause?: unknown,
	) {
		super("partial", message, { cause });
	}
}
