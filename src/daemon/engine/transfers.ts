import type { Refusal, Status, TransferOutcome } from "../../raft/types.js";

type Done = (refusal: string | null) => void;

/** Hand-overs of leadership that somebody waits for, each with its one answer. */
export class Transfers {
	readonly #waiting = new Map<number, Done>();
	#lastToken = 0;

	begin(done: Done): number {
		this.#waiting.set(++this.#lastToken, done);
		return this.#lastToken;
	}

	settle({ token, outcome, reason }: TransferOutcome): void {
		const done = this.#waiting.get(token);
		this.#waiting.delete(token);
		if (outcome === "done") done?.(null);
		else if (outcome === "refused") done?.(sentences[reason ?? "not-leader"]);
		else done?.(endings[outcome]);
	}

	abandon(reason: string): void {
		for (const done of this.#waiting.values()) done(reason);
		this.#waiting.clear();
	}
}

/** The connected voter that holds the most of the log; null when there is none that could lead at once. */
export function bestSuccessor(
	{ followers, configuration }: Status,
	isConnected: (id: string) => boolean,
): string | null {
	let best: Status["followers"][number] | null = null;
	for (const follower of followers) {
		if (!configuration.voters.includes(follower.id)) continue;
		if (follower.state !== "replicate" || !isConnected(follower.id)) continue;
		// The core would refuse it, although another could take over (P31).
		if (!follower.counted) continue;
		if (best === null || follower.match > best.match) best = follower;
	}
	return best?.id ?? null;
}

/** Why this node need not even ask: the message would reach nobody. */
export function transferRefusal(
	{ id, role }: Status,
	target: string | null,
	isConnected: (id: string) => boolean,
): string | null {
	if (role !== "leader" || target === null || target === id) return null;
	return isConnected(target) ? null : `${target} is not connected`;
}

const endings = {
	"timed-out": "the successor did not take over in time",
	aborted: "another node took over instead of the successor",
} as const;

const sentences: Record<Refusal, string> = {
	"not-leader": "this node does not lead",
	transferring: "another hand-over is under way",
	"too-many-uncommitted": "too much of the log is not committed yet",
	"disk-stalled": "the disk of this node does not answer",
	"not-a-voter": "the successor is not a voter",
	"target-lagging": "the successor is too far behind",
	"target-unreachable": "no successor is connected",
	"already-leader": "this node leads already",
	"no-leader": "no leader is known",
};
