import { addressOf } from "./changes.js";
import { describeNodes } from "./describe.js";
import type { SimNode } from "./node.js";
import { changeMembers } from "./repair.js";
import {
	comeToRest,
	expectSoon,
	isAtRest,
	isUncounted,
	leaderOf,
	membersBy,
} from "./rest.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** A fresh write reaches every machine, every node answers a fresh read, and all else is served too. */
export function serveEverywhere(world: World): void {
	writeAndRead(world);
	readUnderLease(world);
	executeOnce(world);
	const { id } = leaderOf(world) as SimNode;
	changeMembers(world, [{ type: "update", id, address: addressOf(id, 7777) }]);
	comeToRest(world);
	const leader = leaderOf(world) as SimNode;
	for (const node of membersBy(world, leader)) {
		if (isUncounted(world, node)) continue;
		demand(
			node.machine.hash === leader.machine.hash &&
				node.machine.digest() === leader.machine.digest(),
			"equal-logs",
			() => `${node.id} and ${leader.id} ended in different states`,
		);
	}
	for (const index of world.workload.history.acknowledged)
		demand(
			index <= leader.machine.applied,
			"acknowledged-lost",
			() =>
				`index ${index} was acknowledged; all logs end at ${leader.machine.applied}`,
		);
}

function writeAndRead(world: World): void {
	const leader = leaderOf(world) as SimNode;
	demand(
		world.workload.propose(leader) !== null,
		"liveness",
		() => `${leader.id} leads a healthy cluster and refuses a write`,
	);
	leader.settle();
	const last = leader.log.length + 1;
	const { reads } = world.workload;
	const { served } = reads;
	const members = membersBy(world, leader).filter(
		(node) => !isUncounted(world, node),
	);
	for (const node of members) {
		reads.read(node);
		node.settle();
	}
	expectSoon(
		world,
		() =>
			isAtRest(world) &&
			leader.log.length >= last - 1 &&
			reads.served >= served + members.length,
		() => "a fresh write or read is not served",
	);
}

function readUnderLease(world: World): void {
	const { leases } = world.workload;
	const { served } = leases;
	const now = leaderOf(world)?.seen;
	// A leader that ever asked another to campaign gives no leases in that term (P37).
	if (now?.term === leaderOf(world)?.handedOverIn) return;
	expectSoon(
		world,
		() => {
			const leader = leaderOf(world);
			if (leader !== undefined) leases.read(leader);
			return leases.served > served;
		},
		() => "a fresh read under a lease is not served",
	);
}

function executeOnce(world: World): void {
	const { sessions } = world.workload;
	if (sessions.isEmpty) return;
	const { answered } = sessions;
	expectSoon(
		world,
		() => {
			const leader = leaderOf(world);
			if (leader === undefined) return false;
			sessions.actOf(leader, 0);
			leader.settle();
			return sessions.answered > answered;
		},
		() => "a session's fresh command is not answered",
	);
}

/** Nothing changes hands without a reason, and nobody is owed an answer. */
export function stayAtRest(world: World, stableTimeouts: number): void {
	const { electionTimeoutMs, outcomeTimeoutMs, transferTimeoutMs } =
		world.options;
	const leader = leaderOf(world) as SimNode;
	const term = leader.seen?.term;
	world.runFor(
		stableTimeouts * electionTimeoutMs + outcomeTimeoutMs + transferTimeoutMs,
	);
	for (const node of membersBy(world, leader)) {
		if (isUncounted(world, node)) continue;
		demand(
			node.seen?.term === term && node.seen?.leader === leader.id,
			"stable-term",
			() =>
				`term ${term} of ${leader.id} did not last: ${describeNodes(world).join("; ")}`,
		);
		const pending = world.workload.pending(node) + world.operator.pending(node);
		demand(
			pending === 0,
			"one-outcome",
			() => `${node.id} still owes ${pending} answers`,
		);
	}
}
