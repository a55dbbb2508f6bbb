import { decodeConfiguration } from "../../raft/codec.js";
import type { PlacedConfiguration, TermRange } from "../../raft/types.js";
import type { RecoveredLog } from "../../storage/log-storage.js";
import type { Examination } from "../doctor/examine.js";
import type { UsableSnapshot } from "../doctor/examine-snapshots.js";
import type { Identity } from "../identity.js";

/** How far a node's disk reaches, log and newest snapshot together. */
export interface Holding {
	readonly identity: Identity;
	/** The newest that can be used; null when the log begins with the first entry. */
	readonly snapshot: UsableSnapshot | null;
	readonly term: number;
	readonly votedFor: string | null;
	/** Of the log; lastIndex + 1 when it holds no entry. */
	readonly firstIndex: number;
	readonly lastIndex: number;
	readonly lastTerm: number;
	/** Up to here the node knew that everything was committed. */
	readonly commit: number;
	/** The latest, committed or not: a node goes by it as soon as it is written. */
	readonly configuration: PlacedConfiguration;
}

/** Null when there is nothing, or too little is left to tell: the report says why. */
export function holdingOf({
	report,
	log,
	snapshots,
}: Examination): Holding | null {
	const { identity, alignment } = report;
	if (log === null || identity === null || alignment === "damaged") return null;
	const snapshot = snapshots.usable[0] ?? null;
	// A log that does not lead up to the snapshot has nothing to keep: the snapshot holds all that was committed.
	const known =
		alignment === "reset" && snapshot !== null
			? behind(log.recovered, snapshot)
			: log.recovered;
	const configuration = latestIn(known, snapshot);
	if (configuration === null) return null;
	const { firstIndex, hardState } = known;
	const lastIndex = Math.max(known.lastIndex, snapshot?.manifest.index ?? 0);
	return {
		...{ identity, snapshot, firstIndex, lastIndex, configuration },
		...{ term: hardState.term, votedFor: hardState.votedFor },
		lastTerm: termAt(lastIndex, known, snapshot),
		commit: Math.max(
			Math.min(hardState.commit, lastIndex),
			snapshot?.manifest.index ?? 0,
		),
	};
}

function behind(
	recovered: RecoveredLog,
	{ manifest: { index, term } }: UsableSnapshot,
): RecoveredLog {
	return {
		...recovered,
		...{ firstIndex: index + 1, lastIndex: index, resetTerm: term },
		...{ terms: [], configurations: [] },
	};
}

function latestIn(
	{ configurations }: RecoveredLog,
	snapshot: UsableSnapshot | null,
): PlacedConfiguration | null {
	const own = snapshot?.manifest.configuration ?? null;
	const entry = configurations.at(-1);
	if (entry === undefined || entry.index <= (own?.index ?? 0)) return own;
	return {
		index: entry.index,
		configuration: decodeConfiguration(entry.data),
	};
}

function termAt(
	index: number,
	{ terms }: { readonly terms: readonly TermRange[] },
	snapshot: UsableSnapshot | null,
): number {
	if (index === snapshot?.manifest.index) return snapshot.manifest.term;
	return terms.findLast(({ first }) => first <= index)?.term ?? 0;
}
