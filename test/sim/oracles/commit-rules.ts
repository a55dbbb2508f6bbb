import type { Raft } from "../../../src/raft/raft.js";
import type { AppendRequest } from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/** An append commits nothing but what it has compared, however much more its leader has committed (P8). */
export function watchAppend(
	node: SimNode,
	{ prevIndex, entries }: AppendRequest,
	act: () => void,
): void {
	const raft = node.raft as Raft;
	const before = raft.commit;
	act();
	const compared = prevIndex + entries.length;
	demand(
		raft.commit <= Math.max(before, compared),
		"commit-compared",
		() =>
			`${node.id} commits ${raft.commit} after an append that ends at ${compared}`,
	);
}
