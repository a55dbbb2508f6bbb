import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { isSilence, waitUntil } from "../wait.js";
import { askRaftd } from "./raftd-files.js";

/** Who is killed with its operator is gone at once; over a line that broke, once the host has noticed. */
const freeTimeoutMs = 60_000;

/**
 * Waits until no process holds the directory: a raftd of a killed operator may still read or make it. Throws OperatorError
 * "timeout", naming the process.
 */
export async function awaitFree(
	context: OperationContext,
	node: NodeEntry,
	directory: string,
): Promise<void> {
	await waitUntil(context, {
		name: `${directory} to be let go of`,
		...{ node: node.id, timeoutMs: freeTimeoutMs, signal: context.signal },
		probe: async () => {
			const holder = await holderOf(context, node, directory);
			return holder === null ? null : `it is in use by ${holder}`;
		},
	});
}

async function holderOf(
	context: OperationContext,
	node: NodeEntry,
	directory: string,
): Promise<string | null> {
	const host = await context.machines.host(node.host);
	try {
		const { holder } = await askRaftd<{ readonly holder: string | null }>(
			context,
			host,
			{ words: ["inspect", "--data-dir", directory] },
		);
		return holder;
	} catch (error) {
		// There is nothing, or nothing that a raftd could hold.
		if (error instanceof OperatorError && !isSilence(error)) return null;
		throw error;
	}
}
