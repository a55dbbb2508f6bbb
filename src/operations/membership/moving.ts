import { safeToStop } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { issueAnew } from "../certs/deliver.js";
import { healthLimits, type OperationContext } from "../context.js";
import { nodeService, writeNodeConfig } from "../node-service.js";
import { admitNodeStep } from "../steps/admit-node.js";
import { awaitReadyStep } from "../steps/await-ready.js";
import { changeMembershipStep } from "../steps/change-membership.js";
import { holdDrain } from "../steps/drain-hold.js";
import { proveQuorumStep } from "../steps/quorum-proof.js";
import { renewBackendsStep } from "../steps/renew-backends.js";
import { restartStep } from "../steps/restart-node.js";
import { startAgainStep } from "../steps/start-again.js";
import type { Step } from "../steps/step.js";
import { agreeing, refusedGoal } from "./changing.js";
import { filing } from "./cluster-file.js";
import { draining, handingOver } from "./leaving.js";
import { memberOf } from "./members.js";
import { withNodes } from "./view.js";
import { requireGone } from "./whereabouts.js";
import { countChanges, leaderNow, type Work } from "./work.js";

const addressKeys = ["peer", "client", "admin"] as const;

/** One change that gives the member these addresses; nobody's vote changes. */
export function updating(work: Work, node: NodeEntry, name = "move"): Step {
	const { context, lock, skip } = work;
	const { id, peer, client, admin } = node;
	return changeMembershipStep(context, lock, {
		...{ node: id, name, cost: "", done: "they know it already", skip },
		title: `tell the members that it is at ${peer}`,
		isReached: (members) => {
			const member = memberOf(members, id);
			return addressKeys.every((key) => member?.[key] === node[key]);
		},
		changes: async (members) => {
			if (memberOf(members, id) === null)
				throw refusedGoal(work, id, "is not a member any more");
			return [{ id, type: "update", peer, client, admin }];
		},
		changed: (changes) => countChanges(work, changes),
	});
}

/** From where it was to where it is to be: the members know of it before it goes. */
export async function departing(
	work: Work,
	{
		from,
		to,
		isUp,
	}: {
		readonly from: NodeEntry;
		readonly to: NodeEntry;
		readonly isUp: boolean;
	},
): Promise<readonly Step[]> {
	const isAlone = work.view.leader.members.every(({ id }) => id === to.id);
	return [
		proof(work, to.id, "prove"),
		...(isUp && !isAlone ? [handingOver(work, [to.id], [])] : []),
		updating(work, to),
		...(isUp
			? [...draining(work, from), proof(work, to.id, "prove-again")]
			: []),
		await restarting(work, from, to),
	];
}

function proof(
	{ context, skip, view }: Work,
	node: string,
	name: "prove" | "prove-again",
): Step {
	const { reason } = safeToStop(view.facts, node, healthLimits(context));
	return proveQuorumStep(context, {
		...{ node, name, cost: name === "prove" ? reason : "" },
		skipped: skip.includes("quorum"),
	});
}

/** Stopped where it was, started where it is to be; from then on it is asked there. */
async function restarting(
	work: Work,
	from: NodeEntry,
	to: NodeEntry,
): Promise<Step> {
	const { context, lock, skip, tally, view } = work;
	const there = withNodes(context, [to]);
	const { margin } = safeToStop(view.facts, to.id, healthLimits(context));
	const hold =
		tally.holds.get(to.id) ??
		holdDrain(there, {
			...{ node: to, fencingToken: lock.fencingToken },
			skipBalancer: skip.includes("balancer"),
		});
	const step = restartStep(there, {
		...{ node: to, hold },
		requireStoppable: () => requireStartable(work, from, to),
		service: await nodeService(there, to),
		stopTimeoutMs: context.inventory.roll.stopTimeoutMs,
		configure: () => configure(there, from, to),
		cost:
			margin > 0
				? `${margin} more may fail while it is down`
				: "no other may fail while it is down",
		stopping: () => undefined,
		started: () => undefined,
	});
	return { ...step, title: "stop it, start it there", replan: true };
}

/** It may have come back where it was while the members were told. */
async function requireStartable(
	work: Work,
	from: NodeEntry,
	to: NodeEntry,
): Promise<void> {
	const { context, lock } = work;
	const leader = await leaderNow(work);
	await requireGone(context, { from, to, leader }, lock.signal);
	await lock.requireFresh();
}

/** A certificate names the addresses at which it is believed. */
async function configure(
	there: OperationContext,
	from: NodeEntry,
	to: NodeEntry,
): Promise<void> {
	const isNamedOtherwise = addressKeys.some(
		(key) => hostOf(from[key]) !== hostOf(to[key]),
	);
	if (there.inventory.tls !== null && isNamedOtherwise)
		await issueAnew(there, to);
	await writeNodeConfig(there, to);
}

function hostOf(address: string): string {
	return address.slice(0, address.lastIndexOf(":"));
}

/** Once it runs there: a full member again, with connections, and known at its new place to everybody. */
export async function arriving(
	work: Work,
	to: NodeEntry,
): Promise<readonly Step[]> {
	const { lock, skip } = work;
	const there = withNodes(work.context, [to]);
	const { settleMs, startTimeoutMs } = there.inventory.roll;
	const skipBalancer = skip.includes("balancer");
	return [
		awaitReadyStep(there, {
			...{ node: to, service: await nodeService(there, to) },
			...{ settleMs, startTimeoutMs, ready: () => undefined },
			// Begun only behind the restart: whoever runs there is another process.
			formerProcessId: () => null,
		}),
		...(skipBalancer
			? []
			: renewBackendsStep(there, there.inventory, "addresses")),
		admitNodeStep(there, {
			...{ node: to, fencingToken: lock.fencingToken, skipBalancer },
			admitted: async () => undefined,
		}),
		agreeing({ ...work, context: there }),
		...filing(work, [{ type: "moved", node: to }]),
	];
}

/** Where giving up finds it running as before: its next start must not be elsewhere. */
export function stayingThere(
	{ context }: Work,
	from: NodeEntry,
	to: NodeEntry,
): readonly Step[] {
	if (from.host !== to.host) return [];
	return [
		{
			...{ id: `${from.id}/stay`, node: from.id, cost: "" },
			title: "let it start where it is",
			async run() {
				await configure(withNodes(context, [from]), to, from);
				return null;
			},
		},
	];
}

/** Where giving up finds it down: it must not stay so, and the members look for it where it is to be. */
export async function startedThere(
	work: Work,
	{
		from,
		to,
		isComing,
	}: {
		readonly from: NodeEntry;
		readonly to: NodeEntry;
		/** It runs there already, and may be heard before it answers. */
		readonly isComing: boolean;
	},
): Promise<Step> {
	const { context, lock } = work;
	const there = withNodes(context, [to]);
	const service = await nodeService(there, to);
	const start = startAgainStep(there, lock, { node: to, service });
	return {
		...start,
		async run(signal, progress) {
			if (isComing) await lock.requireFresh();
			else await requireStartable(work, from, to);
			await writeNodeConfig(there, to);
			return start.run(signal, progress);
		},
	};
}
