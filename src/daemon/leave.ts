import type { Draining } from "./draining.js";
import type { Replica } from "./replica.js";

/**
 * What a node does before it stops, so that nobody notices: say so to the balancers, hand leadership over, move the
 * connections, let requests end. Each part that fails or takes too long is reported, and the next one follows: the
 * process is going to end, and everything that was acknowledged is durable.
 */
export async function leave(options: LeaveOptions): Promise<LeaveReport> {
	const { draining, clients, settings, nowMs } = options;
	const deadlineMs = nowMs() + settings.limitMs;
	// An operator has announced it already, and has seen the balancer follow.
	const announceMs = draining.view().draining ? 0 : settings.announceMs;
	const announcedAtMs = nowMs() + announceMs;
	draining.stop();
	const handover = await handOver(options, deadlineMs);
	await until(() => nowMs() >= announcedAtMs, { deadlineMs, nowMs });
	draining.stopClosing(settings.closeOverMs);
	const quiet = await until(() => isQuiet(clients), { deadlineMs, nowMs });
	return {
		handover,
		connectionsCut: quiet ? 0 : clients.connections().total,
		requestsCut: quiet ? 0 : clients.inflight(),
	};
}

interface LeaveOptions {
	readonly draining: Draining;
	readonly replica: Pick<Replica, "status" | "transferLeadership">;
	readonly clients: LeavingClients;
	readonly settings: LeaveSettings;
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
}

interface LeavingClients {
	connections(): { readonly total: number };
	inflight(): number;
}

interface LeaveSettings {
	readonly announceMs: number;
	readonly closeOverMs: number;
	readonly limitMs: number;
}

export interface LeaveReport {
	/** "not-leader", "sole-voter", "done", or why leadership stayed. */
	readonly handover: string;
	/** What was still there when the limit was reached. */
	readonly connectionsCut: number;
	readonly requestsCut: number;
}

const pollIntervalMs = 10;

// A kept connection counts, too: cutting it could meet a request that is on its way.
function isQuiet(clients: LeavingClients): boolean {
	return clients.connections().total === 0 && clients.inflight() === 0;
}

async function handOver(
	{ replica, nowMs }: LeaveOptions,
	deadlineMs: number,
): Promise<string> {
	const { raft } = replica.status();
	if (raft.role !== "leader") return "not-leader";
	if (raft.configuration.voters.length === 1) return "sole-voter";
	let outcome: string | null = null;
	replica.transferLeadership(null, (refusal) => {
		outcome = refusal ?? "done";
	});
	await until(() => outcome !== null, { deadlineMs, nowMs });
	return outcome ?? "no answer within the limit";
}

/** False when the deadline came first. */
async function until(
	condition: () => boolean,
	limit: { readonly deadlineMs: number; readonly nowMs: () => number },
): Promise<boolean> {
	while (!condition()) {
		if (limit.nowMs() >= limit.deadlineMs) return false;
		await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
	}
	return true;
}
