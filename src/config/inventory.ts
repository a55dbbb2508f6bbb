/** Where an inventory keeps the text that it was read from: under a symbol, for printing it must not print that, too. */
export const origin = Symbol("origin");

export interface Origin {
	/** Absolute; null for stdin. */
	readonly path: string | null;
	/** What relative paths in the text start at. */
	readonly directory: string;
	readonly text: string;
}

/**
 * The cluster file, read, checked and frozen. Addresses are host:port, but for those of hosts. Paths are absolute, but for
 * those of SSH, where "~" is left to whoever opens them.
 */
export interface Inventory {
	/** Absent where it was made of no text. */
	readonly [origin]?: Origin;
	/** The file it came from; "-" for stdin. */
	readonly source: string;
	readonly name: string;
	/** The cluster's id, written by `raftctl init`; nodes of another id are never spoken to. */
	readonly id: string;
	readonly engine: "raftd";
	/** Where raftctl keeps what it writes on this machine: node configurations, pid files, logs. For others see `deploy`. */
	readonly stateDirectory: string;
	/** Where ports that are not given are counted from. */
	readonly portBase: number;
	/** The machines that are reached over SSH; this one, "local", is not among them. */
	readonly hosts: readonly HostEntry[];
	readonly ssh: SshSettings;
	readonly deploy: DeployEntry;
	readonly nodes: readonly NodeEntry[];
	readonly balancer: BalancerEntry | null;
	readonly timing: Timing;
	/** By raftd's names; only those that are not to be its own defaults. */
	readonly limits: Readonly<Record<string, number>>;
	readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
	readonly roll: RollSettings;
	/** What a canary asks; null for the key-value machine's own words. */
	readonly canary: CanaryRequests | null;
	/** Null: no storage for the schedule's copies is named; credentials are the environment's. */
	readonly s3: S3Settings | null;
	/** Null: plain text, on every port. */
	readonly tls: TlsEntry | null;
	/** A module with the team's own machine (`raftd --app`); null for the bundled key-value machine. */
	readonly app: string | null;
	/** Mistakes that are allowed but worth saying: an even number of voters, for one. */
	readonly warnings: readonly string[];
}

export interface HostEntry {
	readonly name: string;
	/** By which other hosts reach it; no port. */
	readonly address: string;
	/** What is said of it alone; null where the settings for all hosts hold. */
	readonly ssh: {
		/** What would be typed after `ssh`. */
		readonly address: string;
		readonly user: string | null;
		readonly port: number | null;
		readonly identityFiles: readonly string[] | null;
		/** As ProxyJump has it: [user@]host[:port],…; "none" for none. */
		readonly jump: string | null;
	};
}

/** For all hosts; null where ~/.ssh/config or OpenSSH's own default holds. Paths may begin with "~/". */
export interface SshSettings {
	readonly user: string | null;
	readonly identityFiles: readonly string[] | null;
	/** Null: none is read. */
	readonly config: string | null;
	readonly knownHosts: readonly string[] | null;
	readonly hostKeys: "strict" | "accept-new";
	readonly jump: string | null;
	readonly connectTimeoutMs: number;
}

/** Where things lie on the hosts that are reached over SSH; absolute paths there. */
export interface DeployEntry {
	/** releases/<version>/ and current. */
	readonly directory: string;
	/** <node>/node.yaml, <node>/data. */
	readonly state: string;
	/** The account that the daemon runs under. */
	readonly user: string;
	readonly keepReleases: number;
}

export interface TlsEntry {
	/** On this machine: the authority, its key, and what it has issued. */
	readonly directory: string;
	/** Whose certificate is shown to nodes. */
	readonly role: "observer" | "operator" | "admin";
	/** A file with a token to send instead; null for none. */
	readonly tokenFile: string | null;
	/** For the certificates of nodes, besides their own addresses and those of the balancer. */
	readonly names: readonly string[];
	readonly clientCertificates: "none" | "required";
	readonly lifetimeMs: number;
}

export interface NodeEntry {
	readonly id: string;
	/** "local", or the name of one of `hosts`. */
	readonly host: string;
	readonly role: "voter" | "learner";
	readonly peer: string;
	readonly client: string;
	readonly admin: string;
	/** The HAProxy agent-check port's address; null for none. */
	readonly agent: string | null;
	readonly dataDirectory: string;
}

export type BalancerEntry =
	| EmbeddedBalancerEntry
	| FrontBalancerEntry
	| CommandBalancerEntry;

/** One that runs as a program of its hosts, started and kept by them. */
export type FrontBalancerEntry = HaproxyBalancerEntry | NginxBalancerEntry;

export interface EmbeddedBalancerEntry {
	readonly kind: "embedded";
	readonly host: string;
	/** Where applications connect. */
	readonly listen: string;
	readonly admin: string;
	readonly checkIntervalMs: number;
}

interface FrontBalancer {
	/** At least one; each has the same configuration. */
	readonly hosts: readonly string[];
	/** What it listens on: host:port, or "*:port". */
	readonly bind: string;
	/** Where applications connect. */
	readonly listen: string;
	/** What has it read its configuration again; null for systemctl. */
	readonly reload: readonly string[] | null;
	/** Its configuration file. */
	readonly config: string;
}

export interface HaproxyBalancerEntry extends FrontBalancer {
	readonly kind: "haproxy";
	/** Its runtime socket on each host. */
	readonly socket: string;
	/** The same over TCP, host:port in the order of the hosts; null where the socket is to be used. */
	readonly tcp: readonly string[] | null;
	readonly checkIntervalMs: number;
	readonly fall: number;
	readonly rise: number;
}

export interface NginxBalancerEntry extends FrontBalancer {
	readonly kind: "nginx";
	/** The configuration that includes `config`. */
	readonly main: string;
	/** Holds the process id of the master. */
	readonly pid: string;
	/** Clients may use a connection for several requests. */
	readonly keepAlive: boolean;
}

/** The team's own script, run on this machine. */
export interface CommandBalancerEntry {
	readonly kind: "command";
	readonly argv: readonly string[];
	/** Where it is run. */
	readonly directory: string;
	readonly listen: string;
	readonly timeoutMs: number;
	readonly reactionMs: number;
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
