import { UnfinishedOperationError } from "../../src/cluster/change-refused.js";
import type { Engine, NodeRef } from "../../src/cluster/engine.js";
import { OperatorError } from "../../src/errors.js";
import { changeMembers } from "./fake-changes.js";
import type { FakeCluster } from "./fake-cluster.js";

/** raftd's admin port over a FakeCluster: the same answers, the same refusals. */
export function fakeEngine(cluster: FakeCluster): Engine {
	const { clock } = cluster;
	const reach = (node: NodeRef): void => {
		const { running, answersAt, silentMs, startedAtMs } = cluster.node(node.id);
		const isSilent = clock.now() - startedAtMs < silentMs;
		if (!running || isSilent || answersAt !== node.admin)
			throw new OperatorError(
				"unreachable",
				`${node.id} does not answer: connect ECONNREFUSED`,
				{ node: node.id },
			);
		cluster.advance();
	};
	const requireLeader = (node: NodeRef): string => {
		reach(node);
		if (cluster.leader !== null) return cluster.leader;
		throw new OperatorError("unreachable", `${node.id}: no leader`);
	};
	return {
		async status(node) {
			reach(node);
			return cluster.status(node.id);
		},
		async readIndex(node) {
			const leader = requireLeader(node);
			return { index: cluster.commit(), leader, term: cluster.term };
		},
		async drain(node, request) {
			reach(node);
			cluster.requireFencing(node.id, request.fencingToken);
			const { drain } = cluster.node(node.id);
			drain.until = clock.now() + request.leaseMs;
			if (request.close && !drain.closing) cluster.closeConnections(node.id);
			return cluster.drainStatus(node.id);
		},
		async reloadCertificates(node) {
			reach(node);
			throw new OperatorError("refused", `${node.id} speaks no TLS`);
		},
		async undrain(node, fencingToken) {
			reach(node);
			cluster.requireFencing(node.id, fencingToken);
			cluster.node(node.id).drain = { until: 0, closing: false };
		},
		async transferLeadership(node, target, fencingToken) {
			requireLeader(node);
			cluster.requireFencing(node.id, fencingToken);
			if (!cluster.node(target).running)
				throw new OperatorError("refused", `${target} is unreachable`);
			await clock.sleep(40);
			cluster.leader = target;
			cluster.term += 1;
			cluster.transfers.push(target);
			return { leader: target, durationMs: 40 };
		},
		async changeMembership(node, request) {
			requireLeader(node);
			cluster.requireFencing(node.id, request.fencingToken);
			await clock.sleep(20);
			return { index: changeMembers(cluster, request) };
		},
		async setWriteLevel(node, { level, fencingToken }) {
			requireLeader(node);
			cluster.requireFencing(node.id, fencingToken);
			cluster.writeLevel = { level, release: "0.1.0" };
		},
		async clearAlarm(node, alarm) {
			requireLeader(node);
			cluster.requireFencing(node.id, alarm.fencingToken);
			cluster.alarms = cluster.alarms.filter(
				(one) => one.kind !== alarm.kind || one.node !== alarm.node,
			);
		},
		...fakeLock(cluster, requireLeader),
		...fakeJournal(cluster, requireLeader),
		...fakeSnapshots(cluster, reach, requireLeader),
		close: () => undefined,
	};
}

function fakeLock(
	cluster: FakeCluster,
	requireLeader: (node: NodeRef) => string,
): Pick<Engine, "acquireLock" | "renewLock" | "releaseLock"> {
	const { clock } = cluster;
	const requireHeld = (fencingToken: number) => {
		const { lock } = cluster;
		if (lock?.fencingToken === fencingToken) return lock;
		throw new OperatorError("locked", "the operation lock was lost");
	};
	return {
		async acquireLock(node, { holder, host, nonce, operation, ttlMs }) {
			requireLeader(node);
			if (cluster.lockNow() !== null)
				throw new OperatorError("locked", "the operation lock is taken");
			cluster.newestToken += 1;
			cluster.lock = {
				holder,
				host,
				nonce,
				operation,
				step: "",
				fencingToken: cluster.newestToken,
				acquiredAtMs: clock.now(),
				expiresAtMs: clock.now() + ttlMs,
			};
			return cluster.lock;
		},
		async renewLock(node, { fencingToken, ttlMs, step }) {
			requireLeader(node);
			const lock = requireHeld(fencingToken);
			cluster.lock = { ...lock, step, expiresAtMs: clock.now() + ttlMs };
			return cluster.lock;
		},
		async releaseLock(node, fencingToken) {
			requireLeader(node);
			requireHeld(fencingToken);
			cluster.lock = null;
		},
	};
}

/** What raftd's journal takes. */
const maxRecordBytes = 16 * 1024;

function fakeJournal(
	cluster: FakeCluster,
	requireLeader: (node: NodeRef) => string,
): Pick<Engine, "writeOperation" | "pauseOperation" | "operations"> {
	const nowMs = () => cluster.clock.now();
	return {
		async writeOperation(node, write) {
			const { id, unfinished, record, fencingToken } = write;
			requireLeader(node);
			if (cluster.lockNow()?.fencingToken !== fencingToken)
				throw new OperatorError("locked", "the operation lock was lost");
			const other = cluster.operations.find(
				(one) => one.unfinished && one.id !== id,
			);
			if (other !== undefined)
				throw new UnfinishedOperationError("another is unfinished", other);
			const known = cluster.operations.find((one) => one.id === id);
			if (Buffer.byteLength(record) > maxRecordBytes)
				throw new OperatorError("refused", "the record is too long");
			if (known?.unfinished === false) {
				if (!unfinished && known.record === record) return known;
				throw new OperatorError("refused", `${id} is finished already`);
			}
			const stored = {
				...{ id, unfinished, record },
				pauseRequested:
					unfinished && !write.clearPause && (known?.pauseRequested ?? false),
				beganAtMs: known?.beganAtMs ?? nowMs(),
				updatedAtMs: nowMs(),
			};
			cluster.operations = [
				...(known === undefined ? [stored] : []),
				...cluster.operations.map((one) => (one === known ? stored : one)),
			];
			return stored;
		},
		async pauseOperation(node, id) {
			requireLeader(node);
			cluster.operations = cluster.operations.map((one) =>
				one.id === id && one.unfinished
					? { ...one, pauseRequested: true }
					: one,
			);
		},
		async operations(node) {
			requireLeader(node);
			return cluster.operations;
		},
	};
}

function fakeSnapshots(
	cluster: FakeCluster,
	reach: (node: NodeRef) => void,
	requireLeader: (node: NodeRef) => string,
): Pick<
	Engine,
	"takeSnapshot" | "snapshots" | "readSnapshot" | "setSnapshotSchedule"
> {
	return {
		async takeSnapshot(node) {
			reach(node);
			const index = cluster.commit();
			cluster.node(node.id).snapshots.unshift(summaryOf(index));
			return { index };
		},
		async snapshots(node) {
			reach(node);
			return cluster.node(node.id).snapshots;
		},
		async readSnapshot(node, { index, offset }) {
			reach(node);
			const bytes = snapshotBytes(index).subarray(offset);
			return (async function* () {
				yield bytes;
			})();
		},
		async setSnapshotSchedule(node, { schedule, fencingToken }) {
			requireLeader(node);
			cluster.requireFencing(node.id, fencingToken);
			cluster.schedule = schedule;
		},
	};
}

/** The file of a snapshot; no real one. */
export function snapshotBytes(index: number): Uint8Array {
	return Buffer.from(`snapshot ${index}`.padEnd(4_096, "."));
}

function summaryOf(index: number) {
	return {
		...{ index, term: 3, id: `s-${index}`, level: 1, release: "0.1.0" },
		fileBytes: snapshotBytes(index).length,
		...{ sha256: "0".repeat(64), machine: "kv", createdAtMs: index },
	};
}
