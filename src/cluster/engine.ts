/** A replicated group seen from outside, by raftd's admin RPC. All answers are fresh. */
export interface Engine {
	/** One node's own view. Throws OperatorError "unreachable" when it does not answer within `timeoutMs`. */
	status(node: NodeRef, options: CallOptions): Promise<NodeStatus>;
	/** The commit index, confirmed by a quorum now, asked through `node`. */
	readIndex(
		node: NodeRef,
		options: CallOptions,
	): Promise<{ index: number; leader: string; term: number }>;
	drain(
		node: NodeRef,
		request: DrainOptions,
		options: CallOptions,
	): Promise<DrainStatus>;
	undrain(
		node: NodeRef,
		fencingToken: number,
		options: CallOptions,
	): Promise<void>;
	/** Asks the leader, wherever `node` says it is. */
	transferLeadership(
		node: NodeRef,
		target: string,
		fencingToken: number,
		options: CallOptions,
	): Promise<{ leader: string; durationMs: number }>;
	/** Throws OperatorError "locked", naming the holder. */
	acquireLock(
		node: NodeRef,
		request: LockRequest,
		options: CallOptions,
	): Promise<LockStatus>;
	renewLock(
		node: NodeRef,
		request: LockRenewal,
		options: CallOptions,
	): Promise<LockStatus>;
	releaseLock(
		node: NodeRef,
		fencingToken: number,
		options: CallOptions,
	): Promise<void>;
	/**
	 * Asks the leader, wherever `node` says it is; resolves when the final configuration is committed. Throws
	 * ChangeRefusedError when nothing was changed; OperatorError "timeout" when it may or may not come about.
	 */
	changeMembership(
		node: NodeRef,
		request: MembershipRequest,
		options: CallOptions,
	): Promise<{ readonly index: number }>;
	/**
	 * Lets the cluster write entries of `level`. Done once `node`, which must lead, has it in the log and every member is
	 * connected and reads that level. Throws OperatorError "refused" with the node's reason when it is not done.
	 */
	setWriteLevel(
		node: NodeRef,
		wish: { readonly level: number; readonly fencingToken: number },
		options: CallOptions,
	): Promise<void>;
	/** Takes a snapshot on `node` itself, now. */
	takeSnapshot(
		node: NodeRef,
		options: CallOptions,
	): Promise<{ readonly index: number }>;
	/** Those on `node`'s disk, newest first. */
	snapshots(
		node: NodeRef,
		options: CallOptions,
	): Promise<readonly SnapshotSummary[]>;
	/**
	 * The raw file of a snapshot on `node`, from byte `offset` on; with `id`, of no other that has its index. `timeoutMs` is
	 * how long the node may be silent, before the answer and within it.
	 */
	readSnapshot(
		node: NodeRef,
		wish: SnapshotWish,
		options: CallOptions,
	): Promise<AsyncIterable<Uint8Array>>;
	setSnapshotSchedule(
		node: NodeRef,
		request: {
			readonly schedule: SnapshotSchedule | null;
			readonly fencingToken: number;
		},
		options: CallOptions,
	): Promise<void>;
	/** Makes `node` read its certificates again, and tells which it uses. Throws "refused" when it cannot use them. */
	reloadCertificates(
		node: NodeRef,
		options: CallOptions,
	): Promise<CertificatesStatus>;
	clearAlarm(
		node: NodeRef,
		alarm: {
			readonly kind: string;
			readonly node: string;
			readonly fencingToken: number;
		},
		options: CallOptions,
	): Promise<void>;
	/**
	 * Writes into the cluster's journal, by the holder of the lock. Throws OperatorError "locked" when the token is no
	 * longer the lock's, UnfinishedOperationError when another operation is not finished.
	 */
	writeOperation(
		node: NodeRef,
		request: OperationWrite,
		options: CallOptions,
	): Promise<StoredOperation>;
	/** Asks whoever runs it to stop at the next step boundary. */
	pauseOperation(
		node: NodeRef,
		id: string,
		options: CallOptions,
	): Promise<void>;
	/** The whole journal, newest first; confirmed by a quorum. */
	operations(
		node: NodeRef,
		options: CallOptions,
	): Promise<readonly StoredOperation[]>;
	close(): void;
}

export interface MembershipRequest {
	/** Done as one. */
	readonly changes: readonly MembershipChange[];
	/** The index of the configuration that the caller saw. */
	readonly expectedIndex: number;
	readonly waived: readonly ("catch-up" | "quorum")[];
	readonly fencingToken: number;
}

export type MembershipChange =
	| {
			readonly id: string;
			readonly type: "add";
			readonly peer: string;
			readonly client: string;
			readonly admin: string;
			/** Of the new member's data directory, as its status says. */
			readonly incarnation: string;
	  }
	| {
			readonly id: string;
			readonly type: "update";
			readonly peer: string;
			readonly client: string;
			readonly admin: string;
	  }
	| { readonly id: string; readonly type: "promote" | "demote" | "remove" };

/** An operation as the cluster's journal keeps it; `record` is raftctl's own (operations/journal). */
export interface StoredOperation {
	readonly id: string;
	readonly unfinished: boolean;
	readonly record: string;
	readonly pauseRequested: boolean;
	readonly beganAtMs: number;
	readonly updatedAtMs: number;
}

export interface OperationWrite {
	readonly id: string;
	readonly unfinished: boolean;
	/** JSON on one line, at most 16 KiB. */
	readonly record: string;
	readonly fencingToken: number;
	/** Forgets that somebody asked for a pause: with the first record of each attempt. */
	readonly clearPause?: boolean;
}

export interface SnapshotSummary {
	readonly index: number;
	readonly term: number;
	readonly id: string;
	readonly fileBytes: number;
	readonly sha256: string;
	readonly level: number;
	readonly release: string;
	readonly machine: string;
	readonly createdAtMs: number;
}

export interface SnapshotWish {
	readonly index: number;
	readonly offset: number;
	/** As its summary says; what was read before `offset` was of this one. */
	readonly id?: string;
}

/** Which snapshots the cluster takes by itself, and where copies go. */
export interface SnapshotSchedule {
	readonly intervalMs: number;
	readonly keep: number;
	readonly directory: string;
	/** Program and arguments; empty for none. */
	readonly command: readonly string[];
	readonly s3: {
		readonly endpoint: string;
		readonly bucket: string;
		readonly prefix: string;
		readonly region: string;
	} | null;
}

export interface ScheduledSnapshot {
	/** Null when none has gone well yet. */
	readonly succeededAtMs: number | null;
	readonly index: number;
	readonly node: string;
	readonly file: string;
	readonly bytes: number;
	readonly attemptedAtMs: number;
	/** Of the last attempt; empty when it went well. */
	readonly fault: string;
}

/** A node as it can be reached. */
export interface NodeRef {
	readonly id: string;
	readonly admin: string;
}

export interface CallOptions {
	readonly timeoutMs: number;
	readonly signal?: AbortSignal;
}

/** What a node shows, and whom it believes. */
export interface CertificatesStatus {
	readonly leaf: CertificateStatus;
	/** Shown to applications; often the same. */
	readonly clientLeaf: CertificateStatus;
	readonly authorities: readonly CertificateStatus[];
	/** Why what lies in its files is not what it uses; empty when it is. */
	readonly fault: string;
}

export interface CertificateStatus {
	/** SHA-256 over the whole certificate, in lower-case hexadecimal digits. */
	readonly fingerprint: string;
	readonly expiresAtMs: number;
}

export interface AlarmStatus {
	readonly kind: string;
	readonly node: string;
	readonly message: string;
}

export interface NodeStatus {
	/** Null for a node that speaks no TLS. */
	readonly certificates: CertificatesStatus | null;
	readonly clusterId: string;
	readonly clusterName: string;
	readonly nodeId: string;
	readonly incarnation: string;
	readonly processId: string;
	readonly release: string;
	readonly machine: string;
	readonly role: "follower" | "pre-candidate" | "candidate" | "leader";
	readonly term: number;
	/** Null when none is known. */
	readonly leader: string | null;
	readonly lastIndex: number;
	readonly durableIndex: number;
	readonly commitIndex: number;
	readonly appliedIndex: number;
	readonly configurationIndex: number;
	readonly members: readonly MemberStatus[];
	/** As the leader sees the others; empty elsewhere. */
	readonly followers: readonly FollowerView[];
	readonly ready: boolean;
	readonly checks: readonly {
		readonly name: string;
		readonly ok: boolean;
		readonly reason: string;
	}[];
	readonly drain: DrainStatus;
	readonly connections: {
		readonly total: number;
		readonly websockets: number;
		readonly streams: number;
	};
	readonly inflightRequests: number;
	readonly connectedPeers: readonly string[];
	readonly lock: LockStatus | null;
	readonly levels: {
		readonly readsFrom: number;
		readonly readsTo: number;
		readonly writes: number;
	};
	/** What stands against a node until somebody has seen to it; every node knows them all. */
	readonly alarms: readonly AlarmStatus[];
	/** Of the newest snapshot on its disk; 0 for none. */
	readonly snapshotIndex: number;
	readonly uptimeMs: number;
	readonly leaderlessMaxMs: number;
	readonly leaderlessTotalMs: number;
	/** The operation that is not finished; null when there is none. */
	readonly operation: StoredOperation | null;
	readonly snapshotSchedule: SnapshotSchedule | null;
	readonly scheduledSnapshot: ScheduledSnapshot | null;
	/** What the cluster may write; null until it was set for the first time. */
	readonly writeLevel: {
		readonly level: number;
		readonly release: string;
	} | null;
}

export interface MemberStatus {
	readonly id: string;
	readonly role: "voter" | "outgoing" | "learner";
	readonly peer: string;
	readonly client: string;
	readonly admin: string;
	/** Of its data directory; empty until it is known. */
	readonly incarnation: string;
}

export interface FollowerView {
	readonly id: string;
	readonly state: string;
	readonly match: number;
	readonly heardAgoMs: number;
	readonly catchUp: CatchUpView;
	/** False for one whose log went back: what it says is not believed. */
	readonly counted: boolean;
}

/** How far behind a member is, as its leader sees it. */
export interface CatchUpView {
	readonly lagEntries: number;
	readonly entriesPerSecond: number;
	/** Until it has caught up at this rate; null when it never will. */
	readonly remainingMs: number | null;
	readonly caughtUp: boolean;
}

export interface DrainOptions {
	readonly leaseMs: number;
	readonly close: boolean;
	readonly closeOverMs: number;
	readonly fencingToken: number;
}

export interface DrainStatus {
	readonly draining: boolean;
	readonly closing: boolean;
	/** The process is about to end; `draining` is true, too. */
	readonly stopping: boolean;
	readonly leaseLeftMs: number;
	readonly connectionsLeft: number;
}

interface LockRequest {
	readonly holder: string;
	readonly host: string;
	/** Random, one for each operation. Holders may share a name; only this says whose the lock is. */
	readonly nonce: string;
	readonly operation: string;
	readonly ttlMs: number;
}

interface LockRenewal {
	readonly fencingToken: number;
	readonly ttlMs: number;
	readonly step: string;
}

export interface LockStatus {
	readonly holder: string;
	readonly host: string;
	/** Empty when the holder chose none. */
	readonly nonce: string;
	readonly operation: string;
	readonly step: string;
	readonly fencingToken: number;
	/** Both by the cluster's time, which is nobody's clock here. */
	readonly acquiredAtMs: number;
	readonly expiresAtMs: number;
	/** Of a status: how long it stands yet unless it is renewed; absent where the answer does not say. */
	readonly leftMs?: number;
}
