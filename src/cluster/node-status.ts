import type {
	CatchUpJson,
	CertificateJson,
	CertificatesJson,
	CheckJson,
	ConnectionsJson,
	DrainStateJson,
	FollowerJson,
	GetStatusResponseJson,
	LevelsJson,
	LockJson,
	MemberJson,
	WriteLevelJson,
} from "../wire/gen/raftctl/admin/v1/admin_pb.js";
import { type AnswerReader, answerReader } from "./answer-reader.js";
import type {
	CatchUpView,
	CertificatesStatus,
	DrainStatus,
	FollowerView,
	LockStatus,
	MemberStatus,
	NodeRef,
	NodeStatus,
} from "./engine.js";
import {
	decodeOperation,
	decodeSchedule,
	decodeScheduled,
} from "./stored-status.js";

/**
 * A node's GetStatus answer as JSON, believed only after a check of each field. Throws OperatorError "unreachable":
 * whatever listens there is not a raftd that this raftctl can speak to.
 */
export function decodeNodeStatus(
	node: NodeRef,
	json: GetStatusResponseJson,
): NodeStatus {
	const read = answerReader(node);
	return {
		clusterId: read.text("clusterId", json.clusterId),
		clusterName: read.text("clusterName", json.clusterName),
		nodeId: read.text("nodeId", json.nodeId),
		incarnation: read.text("incarnation", json.incarnation),
		processId: read.text("processId", json.processId),
		release: read.text("release", json.release),
		machine: read.text("machine", json.machine),
		role: read.oneOf("role", json.role, roles),
		term: read.integer("term", json.term),
		leader: read.text("leaderId", json.leaderId) || null,
		lastIndex: read.integer("lastIndex", json.lastIndex),
		durableIndex: read.integer("durableIndex", json.durableIndex),
		commitIndex: read.integer("commitIndex", json.commitIndex),
		appliedIndex: read.integer("appliedIndex", json.appliedIndex),
		configurationIndex: read.integer("index", json.configuration?.index),
		members: read
			.list("members", json.configuration?.members)
			.map((member) => decodeMember(read, member)),
		followers: read
			.list("followers", json.followers)
			.map((follower) => decodeFollower(read, follower)),
		ready: json.readiness?.ready === true,
		checks: read
			.list("checks", json.readiness?.checks)
			.map((check: CheckJson) => ({
				name: read.text("check", check.name),
				ok: check.ok === true,
				reason: read.text("reason", check.reason),
			})),
		drain: decodeDrain(node, json.drain),
		connections: decodeConnections(read, json.connections),
		inflightRequests: read.integer("inflightRequests", json.inflightRequests),
		connectedPeers: read
			.list("connectedPeers", json.connectedPeers)
			.map((peer) => read.text("connectedPeers", peer)),
		lock: decodeLock(node, json.lock),
		levels: decodeLevels(read, json.levels),
		alarms: read.list("alarms", json.alarms).map((alarm) => ({
			kind: read.text("alarm", alarm.kind),
			node: read.text("alarm's node", alarm.node),
			message: read.text("alarm's message", alarm.message),
		})),
		snapshotIndex: read.integer("snapshotIndex", json.snapshotIndex),
		uptimeMs: read.number("uptimeMs", json.uptimeMs),
		leaderlessMaxMs: read.number("leaderlessMaxMs", json.leaderlessMaxMs),
		leaderlessTotalMs: read.number("leaderlessTotalMs", json.leaderlessTotalMs),
		...decodeStored(node, json),
		writeLevel: decodeWriteLevel(read, json.writeLevel),
		certificates: decodeCertificates(node, json.certificates),
	};
}

/** Null of a node that speaks no TLS. */
export function decodeCertificates(
	node: NodeRef,
	json: CertificatesJson | undefined,
): CertificatesStatus | null {
	const read = answerReader(node);
	const given = read.message("certificates", json);
	if (given === null) return null;
	const certificate = (one: CertificateJson | undefined) => ({
		fingerprint: read.text("fingerprint", one?.fingerprint),
		expiresAtMs: read.number("expiresAtMs", one?.expiresAtMs),
	});
	return {
		leaf: certificate(given.leaf),
		clientLeaf: certificate(given.clientLeaf),
		authorities: read.list("authorities", given.authorities).map(certificate),
		fault: read.text("fault", given.fault),
	};
}

/** What the cluster keeps of operations and snapshots. */
function decodeStored(
	node: NodeRef,
	json: GetStatusResponseJson,
): Pick<NodeStatus, "operation" | "snapshotSchedule" | "scheduledSnapshot"> {
	const read = answerReader(node);
	const operation = read.message("operation", json.operation);
	const schedule = read.message("snapshotSchedule", json.snapshotSchedule);
	const last = read.message("scheduledSnapshot", json.scheduledSnapshot);
	return {
		operation: operation && decodeOperation(node, operation),
		snapshotSchedule: schedule && decodeSchedule(read, schedule),
		scheduledSnapshot: last && decodeScheduled(read, last),
	};
}

/** Null when nobody holds it. */
export function decodeLock(
	node: NodeRef,
	json: LockJson | undefined,
): LockStatus | null {
	const read = answerReader(node);
	if (read.text("holder", json?.holder) === "") return null;
	return {
		holder: read.text("holder", json?.holder),
		host: read.text("host", json?.host),
		nonce: read.text("nonce", json?.nonce),
		operation: read.text("operation", json?.operation),
		step: read.text("step", json?.step),
		fencingToken: read.integer("fencingToken", json?.fencingToken),
		acquiredAtMs: read.number("acquiredAtMs", json?.acquiredAtMs),
		expiresAtMs: read.number("expiresAtMs", json?.expiresAtMs),
		...(json?.leftMs === undefined
			? {}
			: { leftMs: read.number("leftMs", json.leftMs) }),
	};
}

export function decodeDrain(
	node: NodeRef,
	json: DrainStateJson | undefined,
): DrainStatus {
	const read = answerReader(node);
	return {
		draining: json?.draining === true,
		closing: json?.closing === true,
		stopping: json?.stopping === true,
		leaseLeftMs: read.number("leaseLeftMs", json?.leaseLeftMs),
		connectionsLeft: read.integer("connectionsLeft", json?.connectionsLeft),
	};
}

/** A uint64 of the answer as a number; `value` may be missing (zero), a string or a number. */
export function decodeInteger(
	node: NodeRef,
	field: string,
	value: unknown,
): number {
	return answerReader(node).integer(field, value);
}

const roles = ["follower", "pre-candidate", "candidate", "leader"] as const;
const memberRoles = ["voter", "outgoing", "learner"] as const;
function decodeMember(read: AnswerReader, member: MemberJson): MemberStatus {
	return {
		id: read.text("member", member.id),
		role: read.oneOf("member role", member.role, memberRoles),
		peer: read.text("peerAddress", member.peerAddress),
		client: read.text("clientAddress", member.clientAddress),
		admin: read.text("adminAddress", member.adminAddress),
		incarnation: read.text("incarnation", member.incarnation),
	};
}

function decodeFollower(
	read: AnswerReader,
	follower: FollowerJson,
): FollowerView {
	return {
		id: read.text("follower", follower.id),
		state: read.text("follower state", follower.state),
		match: read.integer("matchIndex", follower.matchIndex),
		heardAgoMs: heardAgo(read, follower.heardAgoMs),
		catchUp: decodeCatchUp(read, follower.catchUp),
		counted: follower.counted === true,
	};
}

/** A negative time stands for never, and nothing for not known yet. */
export function decodeCatchUp(
	read: AnswerReader,
	json: CatchUpJson | undefined,
): CatchUpView {
	const remainingMs = read.signed("remainingMs", json?.remainingMs);
	return {
		lagEntries: read.integer("lagEntries", json?.lagEntries),
		entriesPerSecond: read.number("entriesPerSecond", json?.entriesPerSecond),
		remainingMs: json === undefined || remainingMs < 0 ? null : remainingMs,
		caughtUp: json?.caughtUp === true,
	};
}

/** Never heard is Infinity, which JSON carries as a string. */
function heardAgo(
	read: AnswerReader,
	value: FollowerJson["heardAgoMs"],
): number {
	return value === "Infinity"
		? Number.POSITIVE_INFINITY
		: read.number("heardAgoMs", value);
}

function decodeConnections(
	read: AnswerReader,
	json: ConnectionsJson | undefined,
): NodeStatus["connections"] {
	return {
		total: read.integer("total", json?.total),
		websockets: read.integer("websockets", json?.websockets),
		streams: read.integer("streams", json?.streams),
	};
}

function decodeLevels(
	read: AnswerReader,
	json: LevelsJson | undefined,
): NodeStatus["levels"] {
	return {
		readsFrom: read.integer("readsFrom", json?.readsFrom),
		readsTo: read.integer("readsTo", json?.readsTo),
		writes: read.integer("writes", json?.writes),
	};
}

/** Without a release nobody has set it: what is there is what the node would write anyway. */
function decodeWriteLevel(
	read: AnswerReader,
	json: WriteLevelJson | undefined,
): NodeStatus["writeLevel"] {
	const release = read.text("release", json?.release);
	if (release === "") return null;
	return { level: read.integer("level", json?.level), release };
}
