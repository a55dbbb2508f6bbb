import { httpCaller, type TlsSource } from "./http-caller.js";
import type { AcknowledgedWrite } from "./traffic.js";

const pageSize = 1000;

/**
 * Reads everything back from one node, at `address`, from its own copy as of `minIndex`: the acknowledged writes that
 * are missing there or differ.
 */
export async function lostOn(
	address: string,
	acknowledged: readonly AcknowledgedWrite[],
	options: { minIndex: number; timeoutMs: number; tls?: TlsSource },
): Promise<string[]> {
	const stored = new Map<string, string>();
	const caller = httpCaller(address, options.timeoutMs, options.tls);
	const path = `/v1/query?consistency=stale&min-index=${options.minIndex}&timeout-ms=${options.timeoutMs}`;
	try {
		for (let after: string | undefined = "", more = true; more; ) {
			const { answer } = await caller.post(path, {
				op: "list",
				prefix: "w",
				limit: pageSize,
				...(after === "" ? {} : { after }),
			});
			const page = answer as Page;
			for (const { key, value } of page.items) stored.set(key, value);
			after = page.items.at(-1)?.key;
			more = page.more && after !== undefined;
		}
	} finally {
		caller.close();
	}
	return acknowledged
		.filter(({ key, value }) => stored.get(key) !== value)
		.map(({ key }) => key);
}

interface Page {
	readonly items: readonly { readonly key: string; readonly value: string }[];
	readonly more: boolean;
}

/**
 * Holds what one subscriber got against the writes that were acknowledged: `missed` never arrived, `doubled` arrived
 * more than once or out of order. `received` are the indexes as they came.
 */
export function judgeEvents(
	received: readonly number[],
	acknowledged: ReadonlySet<number>,
): { missed: number; doubled: number } {
	const seen = new Set<number>();
	let doubled = 0;
	let newest = 0;
	for (const index of received) {
		if (index <= newest) doubled++;
		newest = Math.max(newest, index);
		seen.add(index);
	}
	let missed = 0;
	for (const index of acknowledged) if (!seen.has(index)) missed++;
	return { missed, doubled };
}
