/** Where an inventory keeps the text that it was read from: under a symbol, for printing it must not print that, too. */
export const origin = Symbol("origin");

export interface Origin {
	/** Absolute; null for stdin. */
	readonly path: string | null;
	/** What relative paths in the text start at. */
	readonly directory: string;
	readonly text: string;
}

/** The cluster file, read, checked and frozen. Every address is host:port; every path is absolute. */
export interface Inventory {
	/** Absent where it was made of no text. */
	readonly [origin]?: Origin;
	/** The file it came from; "-" for stdin. */
	readonly source: string;
	readonly name: string;
	/** The cluster's id, written by `raftctl init`; nodes of another id are never spoken to. */
	readonly id: string;
	readonly engine: "raftd";
	/** Where raftctl keeps what it writes on hosts: node configurations, pid files, logs. */
	readonly stateDirectory: string;
	/** Where ports that are not given are counted from. */
	readonly portBase: number;
	readonly nodes: readonly NodeEntry[];
	readonly balancer: BalancerEntry | null;
	readonly timing: Timing;
	readonly roll: RollSettings;
	/** What a canary asks; null for the key-value machine's own words. */
	readonly canary: CanaryRequests | null;
	/** Null: no storage for the schedule's copies is named; credentials are the environment's. */
	readonly s3: S3Settings | null;
	/** A module with the team's own machine (`raftd --app`); null for the bundled key-value machine. */
	readonly app: string | null;
	/** Mistakes that are allowed but worth saying: an even number of voters, for one. */
	readonly warnings: readonly string[];
}

export interface NodeEntry {
	readonly id: string;
	/** "local", or later the name of a machine reached over SSH. */
	readonly host: string;
	readonly role: "voter" | "learner";
	readonly peer: string;
	readonly client: string;
	readonly admin: string;
	/** The HAProxy agent-check port's address; null for none. */
	readonly agent: string | null;
	readonly dataDirectory: string;
}

export type BalancerEntry = EmbeddedBalancerEntry;

export interface EmbeddedBalancerEntry {
	readonly kind: "embedded";
	readonly host: string;
	/** Where applications connect. */
	readonly listen: string;
	readonly admin: string;
	readonly checkIntervalMs: number;
}

interface Timing {
	readonly electionTimeoutMs: number;
	readonly heartbeatIntervalMs: number;
	readonly transferTimeoutMs: number;
	readonly diskStallMs: number;
}

export interface RollSettings {
	/** How long a restarted node must stay ready before the next one is touched. */
	readonly settleMs: number;
	/** The limit for connections to move and requests to end; each connection's share of it is `closeOverMs`. */
	readonly drainTimeoutMs: number;
	readonly closeOverMs: number;
	readonly startTimeoutMs: number;
	readonly stopTimeoutMs: number;
}

export interface S3Settings {
	/** Null: the schedule must name it. */
	readonly target: S3Bucket | null;
	/** Null: raftd's environment has it. The secret is in a file of each node's machine. */
	readonly access: {
		readonly accessKeyId: string;
		readonly secretAccessKeyFile: string;
	} | null;
	/** PEM, on each node's machine; null for the public authorities. */
	readonly caFile: string | null;
}

export interface S3Bucket {
	readonly endpoint: string;
	readonly bucket: string;
	readonly prefix: string;
	readonly region: string;
}

/** In path and body "{key}" and "{value}" stand for the canary's own. */
export interface CanaryRequests {
	readonly write: CanaryRequest;
	readonly read: CanaryRequest;
	/** Null: its key stays. */
	readonly remove: CanaryRequest | null;
}

interface CanaryRequest {
	readonly path: string;
	/** Null for none. */
	readonly body: string | null;
}
