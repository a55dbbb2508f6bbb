import { reasonOf } from "../../errors.js";
import type { OperationContext } from "../context.js";

const leaseMs = 15_000;
const renewEveryMs = leaseMs / 3;

/** Steers new connections to nodes that will not move them again. */
export interface Preference {
	set(nodes: readonly string[]): Promise<void>;
	/** Lets the balancer choose freely again. */
	end(): Promise<void>;
}

/**
 * A preference held at the balancer for as long as this process lives. It spares clients a second move and no more, so a
 * balancer that does not take it is a warning, told once.
 */
export function holdPreference(context: OperationContext): Preference {
	const { balancer, clock } = context;
	const ended = new AbortController();
	let wanted: readonly string[] = [];
	let renewal: Promise<void> | null = null;
	let warned = false;
	const send = async () => {
		try {
			await balancer?.prefer(wanted, leaseMs, ended.signal);
		} catch (error) {
			if (warned || ended.signal.aborted) return;
			warned = true;
			context.emit({
				type: "warning",
				node: null,
				message: `connections are not steered to restarted nodes and may move twice: ${reasonOf(error)}`,
			});
		}
	};
	const keepRenewed = async () => {
		for (;;) {
			await clock.sleep(renewEveryMs, ended.signal).catch(() => undefined);
			if (ended.signal.aborted) return;
			await send();
		}
	};
	return {
		async set(nodes) {
			if (balancer === null) return;
			wanted = [...nodes];
			await send();
			renewal ??= keepRenewed();
		},
		async end() {
			ended.abort();
			await renewal;
			// The lease ends it anyway; a balancer that is gone has forgotten it.
			if (renewal !== null)
				await balancer?.prefer([], leaseMs).catch(() => undefined);
		},
	};
}
