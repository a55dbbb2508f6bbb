import { OperatorError } from "../errors.js";
import type {
	CheckJson,
	ConnectionsJson,
	DrainStateJson,
	FollowerJson,
	GetStatusResponseJson,
	LevelsJson,
	LockJson,
	MemberJson,
} from "../wire/gen/raftctl/admin/v1/admin_pb.js";
import type {
	DrainStatus,
	FollowerView,
	LockStatus,
	MemberStatus,
	NodeRef,
	NodeStatus,
} from "./engine.js";

/**
 * A node's GetStatus answer as JSON, believed only after a check of each field. JSON leaves zero values out and
 * carries uint64 as strings; both are put right here. Throws OperatorError "unreachable": whatever listens there is
 * not a raftd that this raftctl can speak to.
 */
export function decodeNodeStatus(
	node: NodeRef,
	json: GetStatusResponseJson,
): NodeStatus {
	const read = reader(node);
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
	};
}

/** Null when nobody holds it. */
export function decodeLock(
	node: NodeRef,
	json: LockJson | undefined,
): LockStatus | null {
	const read = reader(node);
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
	};
}

export function decodeDrain(
	node: NodeRef,
	json: DrainStateJson | undefined,
): DrainStatus {
	const read = reader(node);
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
	return reader(node).integer(field, value);
}

const roles = ["follower", "pre-candidate", "candidate", "leader"] as const;
const memberRoles = ["voter", "outgoing", "learner"] as const;
const maxListLength = 1024;

type Reader = ReturnType<typeof reader>;

function reader(node: NodeRef) {
	const refuse = (field: string, value: unknown): never => {
		throw new OperatorError(
			"unreachable",
			`${node.id} answers with something that is not a raftd status`,
			{
				node: node.id,
				state: `field ${field} is ${JSON.stringify(value)?.slice(0, 80)}, from ${node.admin}`,
				next: "compare the admin address in the cluster file, and the releases of raftctl and raftd",
			},
		);
	};
	return {
		text(field: string, value: unknown): string {
			if (value === undefined) return "";
			return typeof value === "string" ? value : refuse(field, value);
		},
		number(field: string, value: unknown): number {
			if (value === undefined) return 0;
			return typeof value === "number" && Number.isFinite(value) && value >= 0
				? value
				: refuse(field, value);
		},
		integer(field: string, value: unknown): number {
			if (value === undefined) return 0;
			const number =
				typeof value === "string" && /^\d{1,16}$/.test(value)
					? Number(value)
					: value;
			return Number.isSafeInteger(number) && (number as number) >= 0
				? (number as number)
				: refuse(field, value);
		},
		list<T>(field: string, value: readonly T[] | undefined): readonly T[] {
			if (value === undefined) return [];
			return Array.isArray(value) && value.length <= maxListLength
				? value
				: refuse(field, value);
		},
		oneOf<T extends string>(
			field: string,
			value: unknown,
			allowed: readonly T[],
		): T {
			return allowed.find((one) => one === value) ?? refuse(field, value);
		},
	};
}

function decodeMember(read: Reader, member: MemberJson): MemberStatus {
	return {
		id: read.text("member", member.id),
		role: read.oneOf("member role", member.role, memberRoles),
		peer: read.text("peerAddress", member.peerAddress),
		client: read.text("clientAddress", member.clientAddress),
		admin: read.text("adminAddress", member.adminAddress),
		incarnation: read.text("incarnation", member.incarnation),
	};
}

function decodeFollower(read: Reader, follower: FollowerJson): FollowerView {
	return {
		id: read.text("follower", follower.id),
		state: read.text("follower state", follower.state),
		match: read.integer("matchIndex", follower.matchIndex),
		heardAgoMs: heardAgo(read, follower.heardAgoMs),
	};
}

/** Never heard is Infinity, which JSON carries as a string. */
function heardAgo(read: Reader, value: FollowerJson["heardAgoMs"]): number {
	return value === "Infinity"
		? Number.POSITIVE_INFINITY
		: read.number("heardAgoMs", value);
}

function decodeConnections(
	read: Reader,
	json: ConnectionsJson | undefined,
): NodeStatus["connections"] {
	return {
		total: read.integer("total", json?.total),
		websockets: read.integer("websockets", json?.websockets),
		streams: read.integer("streams", json?.streams),
	};
}

function decodeLevels(
	read: Reader,
	json: LevelsJson | undefined,
): NodeStatus["levels"] {
	return {
		readsFrom: read.integer("readsFrom", json?.readsFrom),
		readsTo: read.integer("readsTo", json?.readsTo),
		writes: read.integer("writes", json?.writes),
	};
}
