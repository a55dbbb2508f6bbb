import type { Engine, NodeRef } from "../../src/cluster/engine.js";
import { OperatorError } from "../../src/errors.js";
import type { FakeCluster } from "./fake-cluster.js";

/** raftd's admin port over a FakeCluster: the same answers, the same refusals. */
export function fakeEngine(cluster: FakeCluster): Engine {
	const { clock } = cluster;
	const reach = (node: NodeRef): void => {
		if (!cluster.node(node.id).running)
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
		...fakeLock(cluster, requireLeader),
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
