import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Configuration } from "../../raft/types.js";
import type {
	ConfigurationSchema,
	DrainStateSchema,
	GetStatusResponseSchema,
	MemberSchema,
} from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import { certificatesMessage } from "./certificates.js";
import { catchUpMessage } from "./membership.js";
import { shownLock, storedMessages } from "./stored-messages.js";
import type { AdminSubject } from "./subject.js";

/** What this node knows of itself and of the group now, without asking anybody. */
export function statusOf(
	subject: AdminSubject,
): MessageInitShape<typeof GetStatusResponseSchema> {
	const { identity, machine, replica, health } = subject;
	const status = replica.status();
	const { raft } = status;
	const control = replica.controlState();
	const checks = health.ready();
	const certificates = certificatesMessage(subject);
	return {
		clusterId: identity.clusterId,
		clusterName: subject.clusterName,
		nodeId: identity.nodeId,
		incarnation: identity.incarnation,
		release: subject.release,
		processId: subject.processId,
		uptimeMs: subject.uptimeMs(),
		role: raft.role,
		term: BigInt(raft.term),
		leaderId: raft.leader ?? "",
		firstIndex: BigInt(raft.firstIndex),
		lastIndex: BigInt(raft.lastIndex),
		durableIndex: BigInt(raft.durableIndex),
		commitIndex: BigInt(raft.commit),
		appliedIndex: BigInt(status.applied),
		configuration: configurationMessage(
			raft.configuration,
			raft.configurationIndex,
		),
		followers: raft.followers.map((follower) => ({
			id: follower.id,
			state: follower.state,
			matchIndex: BigInt(follower.match),
			nextIndex: BigInt(follower.next),
			heardAgoMs: follower.heardAgoMs,
			catchUp: catchUpMessage(follower.catchUp),
			counted: follower.counted,
		})),
		readiness: { ready: checks.every((check) => check.ok), checks },
		drain: drainMessage(subject),
		connections: subject.connections(),
		lock: shownLock(control.lock, replica.clusterMs()),
		connectedPeers: [...status.connectedPeers],
		levels: {
			readsFrom: machine.levels.reads[0],
			readsTo: machine.levels.reads[1],
			writes: machine.levels.writes,
		},
		machine: machine.name,
		transferTarget: raft.transferTarget ?? "",
		inflightRequests: subject.inflight(),
		leaderlessTotalMs: status.leaderlessTotalMs,
		leaderlessMaxMs: status.leaderlessMaxMs,
		snapshotIndex: BigInt(raft.snapshotIndex),
		logBytes: BigInt(status.logBytes),
		alarms: [...control.alarms.values()].map((alarm) => ({
			...alarm,
			index: BigInt(alarm.index),
		})),
		writeLevel: control.writeLevel ?? {
			level: machine.levels.reads[0],
			release: "",
		},
		...storedMessages(control),
		...(certificates === undefined ? {} : { certificates }),
	};
}

export function drainMessage(
	subject: AdminSubject,
): MessageInitShape<typeof DrainStateSchema> {
	const view = subject.draining.view();
	const { websockets, streams } = subject.connections();
	return {
		draining: view.draining,
		closing: view.closing,
		stopping: view.phase === "stopping",
		leaseLeftMs: view.leaseLeftMs,
		connectionsLeft: websockets + streams,
	};
}

export function memberMessage(
	configuration: Configuration,
	id: string,
): MessageInitShape<typeof MemberSchema> {
	const address = configuration.addresses[id];
	return {
		id,
		role: configuration.voters.includes(id)
			? "voter"
			: configuration.learners.includes(id)
				? "learner"
				: "outgoing",
		peerAddress: address?.peer ?? "",
		clientAddress: address?.client ?? "",
		adminAddress: address?.admin ?? "",
		incarnation: address?.incarnation ?? "",
	};
}

function configurationMessage(
	configuration: Configuration,
	index: number,
): MessageInitShape<typeof ConfigurationSchema> {
	const { voters, outgoing, learners } = configuration;
	const ids = [...new Set([...voters, ...outgoing, ...learners])].sort();
	return {
		index: BigInt(index),
		members: ids.map((id) => memberMessage(configuration, id)),
	};
}
