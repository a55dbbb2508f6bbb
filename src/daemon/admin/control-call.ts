import { Code, ConnectError } from "@connectrpc/connect";
import type {
	ControlCommand,
	ControlOutcome,
	ControlResult,
	OperationLock,
} from "../../machines/control.js";
import { LockSchema } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { CommandOutcome, RejectReason, Replica } from "../replica.js";
import { fencedOff } from "./fencing.js";
import { lockMessage } from "./stored-messages.js";

const commandTimeoutMs = 5_000;

/**
 * Runs a command on the cluster's own state, through whichever node, and returns its result. Throws ConnectError when
 * it was not executed, or when that is not known; `subject`, as "the lock", is what it would have changed.
 */
export async function runControl<Result extends ControlOutcome>(
	replica: Pick<Replica, "control">,
	command: ControlCommand,
	subject: string,
): Promise<Result> {
	const bytes = new TextEncoder().encode(JSON.stringify(command));
	const outcome = await new Promise<CommandOutcome>((resolve) =>
		replica.control(bytes, commandTimeoutMs, resolve),
	);
	const result: Result = resultOf(outcome, subject);
	if (result.reason === "malformed")
		throw new ConnectError(
			`the command for ${subject} is malformed`,
			Code.InvalidArgument,
		);
	return result;
}

function resultOf(outcome: CommandOutcome, subject: string) {
	switch (outcome.kind) {
		case "applied":
			return JSON.parse(new TextDecoder().decode(outcome.result));
		case "rejected":
			throw new ConnectError(
				`${subject} was not touched: ${outcome.message}`,
				codes[outcome.reason],
			);
		case "unknown":
			throw new ConnectError(
				`${subject} may or may not have changed: ${outcome.message}`,
				Code.DeadlineExceeded,
			);
		default:
			throw new ConnectError(
				`a command for ${subject} ended as ${outcome.kind} without its result`,
				Code.Internal,
			);
	}
}

// All of these mean "not executed": the caller may try again, but for those that are its own mistake.
const codes: Record<RejectReason, Code> = {
	overloaded: Code.ResourceExhausted,
	"too-large": Code.InvalidArgument,
	invalid: Code.InvalidArgument,
	"no-leader": Code.Unavailable,
	stopping: Code.Unavailable,
	lost: Code.Unavailable,
	timeout: Code.Unavailable,
	"session-expired": Code.InvalidArgument,
	"session-misused": Code.InvalidArgument,
	level: Code.InvalidArgument,
	// Of its own, so that the caller can tell whose clock it is.
	clock: Code.OutOfRange,
};

/** Runs a command that the lock fences; throws FAILED_PRECONDITION, with the lock, when another operation has begun. */
export async function runFenced(
	replica: Pick<Replica, "control">,
	command: ControlCommand & { readonly fencingToken: number },
	subject: string,
): Promise<void> {
	const { ok, lock } = await runControl<ControlResult>(
		replica,
		command,
		subject,
	);
	if (ok) return;
	throw new ConnectError(
		fencedOff(command.fencingToken, lock),
		Code.FailedPrecondition,
		undefined,
		lockDetail(lock),
	);
}

/** A refusal by the lock itself: ABORTED, with the one that stands as a detail. */
export function lockRefusal({ reason, lock }: ControlResult): ConnectError {
	const held =
		lock === null
			? "nobody holds the lock now"
			: `${lock.holder} on ${lock.host} holds it for ${lock.operation} until ${new Date(lock.expiresAtMs).toISOString()}`;
	return new ConnectError(
		reason === "held"
			? `the operation lock is taken: ${held}`
			: `the operation lock was lost: ${held}`,
		Code.Aborted,
		undefined,
		lockDetail(lock),
	);
}

function lockDetail(lock: OperationLock | null) {
	return lock === null ? [] : [{ desc: LockSchema, value: lockMessage(lock) }];
}
