import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
	isOneLine,
	type JournalResult,
	maxRecordBytes,
} from "../../machines/control.js";
import {
	type AdminService,
	OperationRefusalSchema,
} from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import { requireText, requireToken } from "./arguments.js";
import { lockRefusal, runControl } from "./control-call.js";
import { requireCurrent } from "./reads.js";
import { operationMessage } from "./stored-messages.js";
import type { AdminSubject } from "./subject.js";

/**
 * The journal, through any node. A refusal is ABORTED with the lock as a detail when the caller does not hold it, else
 * FAILED_PRECONDITION with an OperationRefusal.
 */
export function journalMethods(
	subject: AdminSubject,
): Pick<
	ServiceImpl<typeof AdminService>,
	"writeOperation" | "pauseOperation" | "listOperations"
> {
	const { replica } = subject;
	return {
		async writeOperation(request) {
			const { unfinished, clearPause } = request;
			const result = await runControl<JournalResult>(
				replica,
				{
					type: "write-operation",
					id: requireText("id", request.id),
					...{ unfinished, clearPause },
					record: requireRecord(request.record),
					fencingToken: requireToken(request.fencingToken),
					nowMs: Date.now(),
				},
				"the journal",
			);
			if (result.ok) return { operation: writtenOf(result) };
			if (result.reason === "lost") throw lockRefusal(result);
			throw refusalOf(result);
		},
		async pauseOperation(request) {
			const id = requireText("id", request.id);
			const result = await runControl<JournalResult>(
				replica,
				{ type: "pause-operation", id, nowMs: Date.now() },
				"the journal",
			);
			if (result.ok) return {};
			if (result.reason === "unknown-operation")
				throw new ConnectError(
					`the journal has no operation ${id}`,
					Code.NotFound,
				);
			throw refusalOf(result);
		},
		async listOperations() {
			await requireCurrent(subject);
			const { operations } = replica.controlState();
			return { operations: operations.map(operationMessage) };
		},
	};
}

/** What every node keeps, and every status shows while the operation is not finished, must stay small. */
function requireRecord(record: string): string {
	const bytes = Buffer.byteLength(record);
	if (bytes === 0 || bytes > maxRecordBytes)
		throw new ConnectError(
			`record must have 1 to ${maxRecordBytes} bytes, not ${bytes}`,
			Code.InvalidArgument,
		);
	if (isOneLine(record)) return record;
	throw new ConnectError(
		"record must be on one line, without control characters",
		Code.InvalidArgument,
	);
}

function writtenOf({ operation }: JournalResult) {
	if (operation !== null) return operationMessage(operation);
	throw new ConnectError(
		"the journal does not say what was written",
		Code.Internal,
	);
}

function refusalOf({ reason, operation }: JournalResult): ConnectError {
	const id = operation?.id ?? "";
	return new ConnectError(
		reason === "unfinished-operation"
			? `nothing was written: operation ${id} is not finished`
			: `operation ${id} is finished already, and stays as it was recorded`,
		Code.FailedPrecondition,
		undefined,
		[
			{
				desc: OperationRefusalSchema,
				value: {
					reason: reason ?? "",
					...(operation && { operation: operationMessage(operation) }),
				},
			},
		],
	);
}
