import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Host, Service } from "../../hosts/host.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import type { OperationLock } from "../lock.js";
import { identityOf, requireRemovable } from "../membership/candidate.js";
import { memberOf } from "../membership/members.js";
import type { Step } from "./step.js";
import { requireNoMember } from "./stop-node.js";

interface SetAsideStep {
	readonly node: NodeEntry;
	readonly service: Service;
	/** Of the data that goes; any other is newer and stays. Empty when nobody knew it. */
	readonly incarnation: string;
	/** Where to, in the same directory; chosen once, so that a second attempt moves nothing twice. */
	readonly aside: string;
	/** True: removed for good once it is out of the way. */
	readonly discard: boolean;
}

/** One `mv` within a directory; removing much may take long. */
const moveTimeoutMs = 30_000;
const removeTimeoutMs = 600_000;

/**
 * Gives a node an empty data directory: the old one is moved aside, and only then, if so wished, removed. Never while the
 * node runs or is a member: what it acknowledged counts until the cluster has decided without it.
 */
export function setAsideDataStep(
	context: OperationContext,
	lock: OperationLock,
	wish: SetAsideStep,
): Step {
	const { node, aside, discard } = wish;
	return {
		id: `${node.id}/wipe`,
		title: discard ? "discard its data" : "set its data aside",
		node: node.id,
		cost: discard
			? `${node.dataDirectory} is lost`
			: `${node.dataDirectory} becomes ${aside}`,
		isDone: () => whyNothing(context, lock, wish),
		async guard() {
			if ((await whyNothing(context, lock, wish)) !== null) return;
			requireRemovable(context.inventory, node);
			await requireNoMember(context, node, lock.signal);
			if ((await wish.service.state()).running)
				throw new OperatorError(
					"refused",
					`${node.id} runs: its data stays where it is`,
					{ node: node.id },
				);
			await lock.requireFresh();
		},
		async run() {
			const host = await context.machines.host(node.host);
			if (await isOld(context, host, wish))
				await runOn(host, node, ["mv", "-T", node.dataDirectory, aside]);
			if (discard) await runOn(host, node, ["rm", "-rf", aside]);
			return discard ? "removed" : `kept as ${aside}`;
		},
	};
}

async function whyNothing(
	context: OperationContext,
	{ signal }: OperationLock,
	wish: SetAsideStep,
): Promise<string | null> {
	const { node, incarnation, aside, discard } = wish;
	const leader = confirmedLeader(await lookAtCluster(context, signal));
	const member = leader === null ? null : memberOf(leader.members, node.id);
	const isAnother =
		member !== null &&
		member.incarnation !== "" &&
		member.incarnation !== incarnation;
	if (isAnother) return "it is a member with new data already";
	const host = await context.machines.host(node.host);
	if (await isOld(context, host, wish)) return null;
	return discard && (await isThere(host, aside))
		? null
		: "its old data is not there any more";
}

/** Whether what lies there is the data that has to go. */
async function isOld(
	context: OperationContext,
	host: Host,
	{ node, incarnation }: SetAsideStep,
): Promise<boolean> {
	if (!(await isThere(host, node.dataDirectory))) return false;
	const identity = await identityOf(context, node);
	return (
		identity === null ||
		identity.incarnation === "" ||
		identity.incarnation === incarnation
	);
}

/** Anything in that directory. */
async function isThere(host: Host, path: string): Promise<boolean> {
	const { exitCode, stdout } = await host.run(["ls", "-A", path], {
		timeoutMs: moveTimeoutMs,
	});
	return exitCode === 0 && stdout.trim() !== "";
}

async function runOn(
	host: Host,
	{ id }: NodeEntry,
	argv: readonly string[],
): Promise<void> {
	const timeoutMs = argv[0] === "rm" ? removeTimeoutMs : moveTimeoutMs;
	const { exitCode, stderr } = await host.run(argv, { timeoutMs });
	if (exitCode === 0) return;
	throw new OperatorError(
		"partial",
		`${argv.join(" ")} ended with ${exitCode}: ${stderr.trim()}`,
		{
			node: id,
			state: `${id} is stopped and no member; its data is as it was`,
		},
	);
}
