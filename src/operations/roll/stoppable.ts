import type { NodeEntry } from "../../config/inventory.js";
import { nodeService } from "../node-service.js";
import { proveQuorumStep } from "../steps/quorum-proof.js";
import type { Roll } from "./roll.js";

interface Asking {
	readonly signal: AbortSignal;
	readonly progress: (note: string) => void;
}

/**
 * Asked as the last thing before every stop: proofs and locks grow old while a journal or a host is slow. Throws
 * OperatorError "refused" unless the quorum survives without the node, and unless the lock is held for certain. Who does
 * not run has no vote to lose.
 */
export async function requireStoppable(
	{ context, lock, skip }: Roll,
	node: NodeEntry,
	{ signal, progress }: Asking = { signal: lock.signal, progress: () => {} },
): Promise<void> {
	const service = await nodeService(context, node);
	if ((await service.state()).running) {
		const proof = proveQuorumStep(context, {
			...{ node: node.id, name: "prove-again", cost: "" },
			skipped: skip.includes("quorum"),
		});
		await proof.run(signal, progress);
	}
	await lock.requireFresh();
}
