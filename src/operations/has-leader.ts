import { confirmedLeader } from "../cluster/health.js";
import {
	lookAtCluster,
	type OperationContext,
	pollIntervalMs,
} from "./context.js";
import { throwIfEnded } from "./interruption.js";

/** An election and a half, at least: who is not elected by then will not be, and nobody keeps the lock. */
const electionsAwaited = 3;

/** Whether a quorum keeps the lock, once an election that is under way had its time. */
export async function hasLeader(context: OperationContext): Promise<boolean> {
	const { clock, inventory, signal } = context;
	const startedAt = clock.now();
	const limitMs = electionsAwaited * inventory.timing.electionTimeoutMs;
	for (;;) {
		throwIfEnded(signal);
		const facts = await lookAtCluster(context, signal);
		if (confirmedLeader(facts) !== null) return true;
		if (facts.nodes.every(({ status }) => status === null)) return false;
		if (clock.now() - startedAt >= limitMs) return false;
		await clock.sleep(pollIntervalMs, signal).catch(() => throwIfEnded(signal));
	}
}
