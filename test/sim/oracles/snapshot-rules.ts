import { encodeConfiguration } from "../../../src/raft/codec.js";
import type { SnapshotPoint } from "../../../src/raft/types.js";
import { EntryKind } from "../../../src/raft/types.js";
import { configurationOf } from "../configuration-of.js";
import type { SimNode } from "../node.js";
import type { SnapshotFile } from "../snapshot-file.js";
import { demand } from "../violation.js";
import type { Committed } from "./committed.js";
import type { LogOracle } from "./log-oracle.js";

/** A snapshot is the state that the log gives at its index, with the configuration that was committed by then. */
export class SnapshotRules {
	readonly #committed: Committed;
	readonly #log: LogOracle;
	/** By index: the state's digest, by whoever took a snapshot there first. */
	readonly #digests = new Map<number, string>();

	constructor(committed: Committed, log: LogOracle) {
		this.#committed = committed;
		this.#log = log;
	}

	taken(node: SimNode, file: SnapshotFile): void {
		const { point, digest } = file;
		const { index } = point;
		this.#checkPoint(node, point);
		const known = this.#digests.get(index);
		if (known === undefined) this.#digests.set(index, digest);
		demand(
			(known === undefined || known === digest) && file.state.applied === index,
			"snapshot-state",
			() =>
				`${node.id} takes another snapshot at ${index} than somebody before`,
		);
	}

	/** A machine now stands where the snapshot was taken. */
	restored(node: SimNode, { point }: SnapshotFile): void {
		const { machine } = node;
		this.#checkPoint(node, point);
		demand(
			machine.applied === point.index &&
				machine.hash === this.#log.hashAt(point.index) &&
				machine.digest() === this.#digests.get(point.index),
			"snapshot-state",
			() =>
				`${node.id} restores another state than the log gives at ${point.index}`,
		);
	}

	#checkPoint(node: SimNode, { index, term, configuration }: SnapshotPoint) {
		demand(
			this.#committed.entries[index - 1]?.term === term,
			"snapshot-committed",
			() => `${node.id} has a snapshot at ${index} of term ${term}`,
		);
		const placed = this.#committed.entries[configuration.index - 1];
		const last = this.#lastConfiguration(index);
		demand(
			last === configuration.index &&
				placed !== undefined &&
				String(encodeConfiguration(configurationOf(placed))) ===
					String(encodeConfiguration(configuration.configuration)),
			"snapshot-configuration",
			() =>
				`${node.id} has a snapshot at ${index} with the configuration of ${configuration.index}; that in force was ${last}`,
		);
	}

	#lastConfiguration(index: number): number {
		for (let at = index; at >= 1; at--) {
			if (this.#committed.entries[at - 1]?.kind === EntryKind.configuration)
				return at;
		}
		return 0;
	}
}
