/** A replicated group seen from outside: raftd's admin RPC here, later etcd's API. All answers are fresh. */
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
	close(): void;
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

export interface AlarmStatus {
	readonly kind: string;
	readonly node: string;
	readonly message: string;
}

export interface NodeStatus {
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
	readonly acquiredAtMs: number;
	readonly expiresAtMs: number;
}
