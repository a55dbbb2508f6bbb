import { Code, ConnectError } from "@connectrpc/connect";
import type {
	ControlCommand,
	ControlResult,
	OperationLock,
} from "../../machines/control.js";
import { LockSchema } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { CommandOutcome, RejectReason, Replica } from "../replica.js";
import { lockMessage } from "./status.js";

/**
 * Runs a command on the cluster's operation lock and returns the lock afterwards, null when it is free. Throws
 * ConnectError ABORTED, with the lock that stands as a detail, when another holds it or the caller has lost it.
 */
export async function runLockCommand(
	replica: Pick<Replica, "control">,
	command: ControlCommand,
): Promise<OperationLock | null> {
	const result = resultOf(await runControl(replica, command));
	if (result.ok) return result.lock;
	throw new ConnectError(
		refusalSentence(result),
		result.reason === "malformed" ? Code.InvalidArgument : Code.Aborted,
		undefined,
		result.lock === null
			? []
			: [{ desc: LockSchema, value: lockMessage(result.lock) }],
	);
}

const commandTimeoutMs = 5_000;

/** Runs a command on the cluster's own state. */
export function runControl(
	replica: Pick<Replica, "control">,
	command: ControlCommand,
): Promise<CommandOutcome> {
	const bytes = new TextEncoder().encode(JSON.stringify(command));
	return new Promise((resolve) =>
		replica.control(bytes, commandTimeoutMs, resolve),
	);
}

function resultOf(outcome: CommandOutcome): ControlResult {
	switch (outcome.kind) {
		case "applied":
			return JSON.parse(new TextDecoder().decode(outcome.result));
		case "rejected":
			throw new ConnectError(
				`the lock was not touched: ${outcome.message}`,
				codes[outcome.reason],
			);
		case "unknown":
			throw new ConnectError(
				`the lock may or may not have changed: ${outcome.message}`,
				Code.DeadlineExceeded,
			);
		default:
			throw new ConnectError(
				`a lock command ended as ${outcome.kind} without its result`,
				Code.Internal,
			);
	}
}

// All of these mean "not executed": the caller may try again, but for the two that are its own mistake.
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
};

function refusalSentence({ reason, lock }: ControlResult): string {
	const held =
		lock === null
			? "nobody holds the lock now"
			: `${lock.holder} on ${lock.host} holds it for ${lock.operation} until ${new Date(lock.expiresAtMs).toISOString()}`;
	if (reason === "held") return `the operation lock is taken: ${held}`;
	if (reason === "lost") return `the operation lock was lost: ${held}`;
	return "the lock command is malformed";
}
