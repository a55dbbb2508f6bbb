import type { DrainStatus } from "../../cluster/engine.js";
import type { NodeEntry } from "../../config/inventory.js";
import { callOptions, type OperationContext, refOf } from "../context.js";
import { isSilence } from "../wait.js";

/** Short, so that a dead operator leaves nothing drained; renewed three times as often. */
export const drainLeaseMs = 15_000;
const renewEveryMs = drainLeaseMs / 3;

/** A node held in drain for as long as this process lives. */
export interface DrainHold {
	/** Says so to balancers; refuses nothing. */
	announce(): Promise<DrainStatus>;
	/** Also moves connections away, evenly over `closeOverMs`. */
	close(closeOverMs: number): Promise<DrainStatus>;
	/** Stops renewing and ends the drain at the node. Throws when the node cannot be told: its lease ends it then. */
	release(): Promise<void>;
	/** Stops renewing and leaves the drain at the node for this long: it outlives this process. */
	leaveFor(leaseMs: number): Promise<void>;
	/** Stops renewing; the node is about to stop. */
	abandon(): Promise<void>;
}

interface HoldOptions {
	readonly node: NodeEntry;
	readonly fencingToken: number;
	/** A balancer that has to be told of the drain is not. */
	readonly skipBalancer?: boolean;
}

export function holdDrain(
	context: OperationContext,
	{ node, fencingToken, skipBalancer = false }: HoldOptions,
): DrainHold {
	const { balancer, clock, engine } = context;
	const told = skipBalancer ? undefined : balancer?.told;
	const ended = new AbortController();
	const resting = new AbortController();
	let wish = { close: false, closeOverMs: 0 };
	let renewal: Promise<void> | null = null;
	const send = async (leaseMs: number) => {
		const drain = await engine.drain(
			refOf(node),
			{ ...wish, leaseMs, fencingToken },
			callOptions(ended.signal),
		);
		// Second: a node that refuses to drain stays in service.
		await told?.withdraw(node.id, leaseMs, ended.signal);
		return drain;
	};
	const keepRenewed = async () => {
		for (;;) {
			await clock.sleep(renewEveryMs, resting.signal).catch(() => undefined);
			if (resting.signal.aborted) return;
			try {
				await send(drainLeaseMs);
			} catch (error) {
				// Silence may pass. A refusal does not: whoever waits on this drain sees it end.
				if (!isSilence(error)) return;
			}
		}
	};
	const begin = async (next: typeof wish) => {
		wish = next;
		const drain = await send(drainLeaseMs);
		renewal ??= keepRenewed();
		return drain;
	};
	const rest = async () => {
		resting.abort();
		await renewal;
	};
	const abandon = async () => {
		ended.abort();
		await rest();
	};
	return {
		announce: () => begin({ close: false, closeOverMs: 0 }),
		close: (closeOverMs) => begin({ close: true, closeOverMs }),
		async leaveFor(leaseMs) {
			// A renewal under way must not arrive after this and make the lease short again.
			await rest();
			await send(leaseMs);
		},
		abandon,
		async release() {
			await abandon();
			try {
				await engine.undrain(refOf(node), fencingToken, callOptions());
			} finally {
				await told?.admit(node.id);
			}
		},
	};
}
