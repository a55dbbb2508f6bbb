/** What `raftctl deploy --json` prints. */
export interface DeployReport {
	readonly operation: "deploy";
	readonly cluster: string;
	readonly hosts: readonly {
		readonly host: string;
		/** In words, in order; empty when nothing was to be done. */
		readonly did: readonly string[];
	}[];
	/** What was offered to nodes without one; null when none needed one. */
	readonly release: string | null;
	/** Nodes that run with an older unit or configuration than they have now. */
	readonly needRestart: readonly string[];
	/** Nodes that have another release than the one that was named. */
	readonly needUpgrade: readonly string[];
	readonly started: readonly string[];
	readonly alreadyRunning: readonly string[];
	/** Null where nothing was started. */
	readonly leader: string | null;
	readonly durationMs: number;
}
