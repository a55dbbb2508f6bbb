import type { ServiceImpl } from "@connectrpc/connect";
import type {
	ControlCommand,
	ControlResult,
	OperationLock,
} from "../../machines/control.js";
import type { AdminService } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { Replica } from "../replica.js";
import {
	requireRange,
	requireShort,
	requireText,
	requireToken,
} from "./arguments.js";
import { lockRefusal, runControl } from "./control-call.js";
import { lockMessage } from "./stored-messages.js";

const ttlRangeMs = [1_000, 3_600_000] as const;

/** The operation lock, through any node. */
export function lockMethods(
	replica: Pick<Replica, "control">,
): Pick<
	ServiceImpl<typeof AdminService>,
	"acquireLock" | "renewLock" | "releaseLock"
> {
	return {
		acquireLock: async (request) => ({
			lock: lockMessage(
				await runLockCommand(replica, {
					type: "acquire-lock",
					holder: requireText("holder", request.holder),
					host: requireText("host", request.host),
					nonce: requireShort("nonce", request.nonce),
					operation: requireText("operation", request.operation),
					ttlMs: requireRange("ttl_ms", request.ttlMs, ttlRangeMs),
					nowMs: Date.now(),
				}),
			),
		}),
		renewLock: async (request) => ({
			lock: lockMessage(
				await runLockCommand(replica, {
					type: "renew-lock",
					fencingToken: requireToken(request.fencingToken),
					ttlMs: requireRange("ttl_ms", request.ttlMs, ttlRangeMs),
					step: requireShort("step", request.step),
					nowMs: Date.now(),
				}),
			),
		}),
		async releaseLock(request) {
			await runLockCommand(replica, {
				type: "release-lock",
				fencingToken: requireToken(request.fencingToken),
				nowMs: Date.now(),
			});
			return {};
		},
	};
}

/**
 * Returns the lock afterwards, null when it is free. Throws ConnectError ABORTED, with the lock that stands as a detail,
 * when another holds it or the caller has lost it.
 */
async function runLockCommand(
	replica: Pick<Replica, "control">,
	command: ControlCommand,
): Promise<OperationLock | null> {
	const result = await runControl<ControlResult>(replica, command, "the lock");
	if (result.ok) return result.lock;
	throw lockRefusal(result);
}
