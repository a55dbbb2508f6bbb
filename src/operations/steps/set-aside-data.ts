import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Host, Service } from "../../hosts/host.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import { doOn, fileTimeoutMs, isThere, namesIn } from "../host-files.js";
import type { OperationLock } from "../lock.js";
import {
	diskDirectory,
	identityOf,
	requireRemovable,
} from "../membership/candidate.js";
import { memberOf } from "../membership/members.js";
import type { Step } from "./step.js";
import { requireNoMember } from "./stop-node.js";

interface SetAsideStep {
	readonly node: NodeEntry;
	readonly service: Service;
	/** Of the data that goes; any other is newer and stays. Empty when nobody knew it. */
	readonly incarnation: string;
	/** Where to, in the same directory; chosen once, so that a second attempt moves nothing twice. Null: removed for good. */
	readonly aside: string | null;
}

/**
 * Gives a node an empty data directory: the old one is moved aside, or emptied. Never while the node runs or is a member:
 * what it acknowledged counts until the cluster has decided without it. Nothing is removed that does not say itself that
 * it is this node's.
 */
export function setAsideDataStep(
	context: OperationContext,
	lock: OperationLock,
	wish: SetAsideStep,
): Step {
	const { node, aside } = wish;
	return {
		id: `${node.id}/wipe`,
		title: aside === null ? "discard its data" : "set its data aside",
		node: node.id,
		cost:
			aside === null
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
			const lies = await whatLies(context, host, wish);
			if (aside === null) {
				if (lies === "old") await empty(host, node);
				return "removed";
			}
			if (lies === "old" || lies === "unknown")
				await setAside(host, node, aside);
			// A unit of systemd does not start while a directory is missing that it may write.
			await make(host, node);
			return `kept as ${aside}`;
		},
	};
}

async function whyNothing(
	context: OperationContext,
	{ signal }: OperationLock,
	wish: SetAsideStep,
): Promise<string | null> {
	const { node, incarnation, aside } = wish;
	const leader = confirmedLeader(await lookAtCluster(context, signal));
	const member = leader === null ? null : memberOf(leader.members, node.id);
	const isAnother =
		member !== null &&
		member.incarnation !== "" &&
		member.incarnation !== incarnation;
	if (isAnother) return "it is a member with new data already";
	const host = await context.machines.host(node.host);
	switch (await whatLies(context, host, wish)) {
		case "old":
			return null;
		case "unknown":
			return aside === null ? "nobody can say whose data lies there" : null;
		case "another's":
			return "the data of another node lies there";
		case "new":
			return "its old data is not there any more";
		case "nothing": {
			const isHalf =
				aside !== null &&
				(await isThere(host, aside)) &&
				!(await isDirectory(host, node.dataDirectory));
			return isHalf ? null : "its old data is not there any more";
		}
	}
}

type Lies = "nothing" | "old" | "new" | "another's" | "unknown";

async function whatLies(
	context: OperationContext,
	host: Host,
	{ node, incarnation }: SetAsideStep,
): Promise<Lies> {
	const names = await namesIn(host, node.dataDirectory);
	if (names.every((name) => name === diskDirectory)) return "nothing";
	const identity = await identityOf(context, node);
	if (identity === null || identity.incarnation === "") return "unknown";
	const isOurs =
		identity.clusterId === context.inventory.id && identity.nodeId === node.id;
	if (!isOurs) return "another's";
	return identity.incarnation === incarnation ? "old" : "new";
}

/**
 * Where it lies: the directory may be a disk of its own, or in one that only root may write. What says whose data it is
 * goes last: cut off, it is gone on with, and no node begins in what is left.
 */
async function empty(host: Host, { id, dataDirectory }: NodeEntry) {
	const doing = { about: id, state: stateOf(id) };
	const all = [dataDirectory, "-mindepth", "1", "-maxdepth", "1"];
	const but = ["!", "-name", "identity.json", "!", "-name", diskDirectory];
	const each = ["-exec", "rm", "-rf", "{}", "+"];
	await doOn(host, ["find", ...all, ...but, ...each], doing);
	await doOn(host, ["rm", "-f", `${dataDirectory}/identity.json`], doing);
}

async function setAside(
	host: Host,
	{ id, dataDirectory }: NodeEntry,
	aside: string,
) {
	const doing = { about: id, state: stateOf(id) };
	await doOn(host, ["mv", "-T", dataDirectory, aside], doing);
}

async function make(host: Host, { id, dataDirectory }: NodeEntry) {
	const doing = { about: id, state: stateOf(id) };
	await doOn(host, ["mkdir", "-p", "-m", "700", dataDirectory], doing);
}

function stateOf(id: string): string {
	return `${id} is stopped and no member; no new node has begun in its place`;
}

async function isDirectory(host: Host, path: string): Promise<boolean> {
	const options = { timeoutMs: fileTimeoutMs };
	return (await host.run(["test", "-d", path], options)).exitCode === 0;
}
