import type { StoredOperation } from "../../cluster/engine.js";
import { askAnyNode } from "../any-node.js";
import { callOptions, type OperationContext } from "../context.js";
import { isUnfinished, type OperationRecord } from "./record.js";
import { recordText } from "./record-text.js";

/** Where the records of one operation go: into the cluster, or where there is no quorum by nature, onto the hosts. */
export interface Journal {
	/** Durable on return, and true of whoever reads it from then on. */
	write(
		record: OperationRecord,
		/** The first record of an attempt: that somebody asked an earlier one to pause no longer counts. */
		attempt?: "begins",
	): Promise<StoredOperation>;
}

/** In the cluster, by whoever holds the lock with this token. */
export function clusterJournal(
	context: OperationContext,
	fencingToken: number,
): Journal {
	return {
		write: (record, attempt) =>
			askAnyNode(context, (node) =>
				context.engine.writeOperation(
					node,
					{
						id: record.id,
						unfinished: isUnfinished(record),
						record: recordText(record),
						fencingToken,
						clearPause: attempt === "begins",
					},
					// Deaf to Ctrl-C: how it ended is told after that, too.
					callOptions(),
				),
			),
	};
}

/** The cluster's journal, newest first. */
export function readJournal(
	context: OperationContext,
): Promise<readonly StoredOperation[]> {
	return askAnyNode(context, (node) =>
		context.engine.operations(node, callOptions(context.signal)),
	);
}
