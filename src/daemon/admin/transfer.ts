import { Code, ConnectError } from "@connectrpc/connect";
import type { AdminSubject } from "./subject.js";

/**
 * Hands leadership over to `target`, or to the most caught-up voter for "", and waits until the successor is known.
 * Throws ConnectError FAILED_PRECONDITION with the reason when this node goes on leading.
 */
export async function transfer(
	{ replica, transferTimeoutMs }: AdminSubject,
	target: string,
): Promise<{ leaderId: string; term: bigint; durationMs: number }> {
	const startedAtMs = performance.now();
	const { raft } = replica.status();
	if (target !== "" && !raft.configuration.voters.includes(target)) {
		throw new ConnectError(
			`${target} is not a voter; the voters are ${raft.configuration.voters.join(", ")}`,
			Code.InvalidArgument,
		);
	}
	const refusal = await new Promise<string | null>((resolve) =>
		replica.transferLeadership(target === "" ? null : target, resolve),
	);
	if (refusal !== null) {
		throw new ConnectError(
			`${raft.id} goes on leading: ${refusal}`,
			Code.FailedPrecondition,
		);
	}
	const deadlineMs = performance.now() + transferTimeoutMs;
	let { raft: after } = replica.status();
	while (after.leader === null && performance.now() < deadlineMs) {
		await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
		after = replica.status().raft;
	}
	return {
		leaderId: after.leader ?? "",
		term: BigInt(after.term),
		durationMs: performance.now() - startedAtMs,
	};
}

const pollIntervalMs = 5;
