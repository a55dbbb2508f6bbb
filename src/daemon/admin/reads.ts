import { Code, ConnectError } from "@connectrpc/connect";
import { requireRange } from "./arguments.js";
import type { AdminSubject } from "./subject.js";

const readIndexRangeMs = [1, 60_000] as const;
const readIndexDefaultMs = 5_000;
const applyPollMs = 5;

/** Confirms the commit index with a quorum. `requestedMs` 0 stands for the default. Throws UNAVAILABLE. */
export async function readIndex(
	{ replica }: AdminSubject,
	requestedMs: number,
): Promise<{ index: bigint; leaderId: string; term: bigint }> {
	const timeoutMs = requireRange(
		"timeout_ms",
		requestedMs === 0 ? readIndexDefaultMs : requestedMs,
		readIndexRangeMs,
	);
	const index = await new Promise<number | null>((resolve) =>
		replica.readIndex(timeoutMs, resolve),
	);
	const { raft } = replica.status();
	if (index === null) {
		throw new ConnectError(
			`no quorum confirmed the commit index within ${timeoutMs} ms (${raft.role} in term ${raft.term}, leader ${raft.leader ?? "unknown"})`,
			Code.Unavailable,
		);
	}
	return {
		index: BigInt(index),
		leaderId: raft.leader ?? "",
		term: BigInt(raft.term),
	};
}

/** Returns once this node has executed all that the cluster had committed at the call. Throws UNAVAILABLE. */
export async function requireCurrent(subject: AdminSubject): Promise<void> {
	const { replica } = subject;
	const { index } = await readIndex(subject, 0);
	const deadlineMs = performance.now() + readIndexDefaultMs;
	while (replica.status().applied < Number(index)) {
		if (performance.now() >= deadlineMs)
			throw new ConnectError(
				`${replica.status().raft.id} has not executed yet what is committed; nothing was done`,
				Code.Unavailable,
			);
		await new Promise((resolve) => setTimeout(resolve, applyPollMs));
	}
}
