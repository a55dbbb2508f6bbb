import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { namesIn } from "../host-files.js";
import { nodeNamed } from "../node-named.js";
import { requireCandidate } from "../steps/join-node.js";
import { setAsideDataStep } from "../steps/set-aside-data.js";
import type { Step } from "../steps/step.js";
import {
	directoryFault,
	foreignAmong,
	identityOf,
	refusedCandidate,
} from "./candidate.js";
import { changing } from "./changing.js";
import { draining, stopping } from "./leaving.js";
import { isMember, memberOf, type Role, roleOf } from "./members.js";
import { unless } from "./unless.js";
import { isManaged, type View } from "./view.js";
import { leaderNow, serviceOf, type Work } from "./work.js";

/** What a node was before an operation took it in: what `abort` goes back to. */
export interface Newcomer {
	readonly id: string;
	readonly formerRole: Role;
	/** Somebody else had started it, or it had data: neither is this operation's to take away. */
	readonly hadData: boolean;
	readonly inFile: boolean;
}

/**
 * Whether the node can become a member, seen before anything is touched. Throws OperatorError "refused" for what founded a
 * log by mistake, and for a data directory or a process of another cluster or node.
 */
export async function admitNewcomer(
	{ context, leader }: View,
	node: NodeEntry,
	inFile: boolean,
): Promise<Newcomer> {
	const formerRole = roleOf(leader.members, node.id);
	const known = { id: node.id, formerRole, inFile };
	if (formerRole !== null) return { ...known, hadData: true };
	const untouched = "nothing was touched";
	const identity = isManaged(node) ? await identityOf(context, node) : null;
	const fault = directoryFault(identity, {
		...{ clusterId: context.inventory.id, node },
	});
	if (fault !== null) throw refusedCandidate(node, fault, untouched);
	if (isManaged(node) && identity === null)
		await requireEmpty(context, node, untouched);
	const status = await requireCandidate(context, node, context.signal);
	if (status === null && !isManaged(node))
		throw new OperatorError(
			"refused",
			`${node.id} does not answer, and it is not known on which host it runs`,
			{
				...{ node: node.id, state: untouched },
				next: "put it into the cluster file",
			},
		);
	return { ...known, hadData: identity !== null || status !== null };
}

/** A directory with somebody else's files would be taken for this operation's own, and removed with it. */
async function requireEmpty(
	{ machines }: OperationContext,
	{ id, host, dataDirectory }: NodeEntry,
	state: string,
): Promise<void> {
	const names = await namesIn(await machines.host(host), dataDirectory);
	const foreign = foreignAmong(names);
	if (foreign.length === 0) return;
	throw new OperatorError(
		"refused",
		`${id} cannot be added: ${dataDirectory} holds files that are no node's`,
		{
			node: id,
			problems: [`there: ${told(foreign)}`],
			state,
			next: `give ${id} a directory of its own, empty or not there yet: data in the cluster file, or --data`,
		},
	);
}

const toldNames = 5;

function told(names: readonly string[]): string {
	const more = names.length - toldNames;
	const first = names.slice(0, toldNames).join(", ");
	return more > 0 ? `${first} and ${more} more` : first;
}

/** The way back: no member any more, and, where it came with this operation, stopped and without data. */
export async function withdrawing(
	work: Work,
	node: NodeEntry,
	{ formerRole, hadData }: Newcomer,
): Promise<readonly Step[]> {
	if (formerRole !== null) return [];
	const leader = await leaderNow(work);
	const isIn = leader !== null && memberOf(leader.members, node.id) !== null;
	const remove = changing(work, {
		...{ node: node.id, name: "withdraw", title: "remove it again" },
		goals: { [node.id]: "gone" },
	});
	return [
		// As a member it took connections: they go first.
		...(isIn ? [...draining(work, node), remove] : []),
		...(hadData ? [] : await removing(work, node)),
	];
}

async function removing(work: Work, node: NodeEntry): Promise<readonly Step[]> {
	const service = await serviceOf(work, node);
	if (service === null) return [];
	const { context, lock } = work;
	const identity = await identityOf(context, node);
	const { incarnation = "" } = identity ?? {};
	const aside = null;
	const wipe = setAsideDataStep(context, lock, {
		...{ node, service, incarnation, aside },
	});
	const still = async () => {
		const leader = await leaderNow(work);
		return leader !== null && isMember(node.id)(leader.members)
			? "it is a member"
			: null;
	};
	return [...(await stopping(work, node)), unless(wipe, still)];
}

/** Throws OperatorError "refused" for a node that is no member, "usage" for one that nobody knows. */
export function requireMember({ context, leader }: View, id: string): Role {
	const role = roleOf(leader.members, id);
	if (role !== null) return role;
	nodeNamed(context, id);
	throw new OperatorError("refused", `${id} is not a member of the cluster`, {
		...{ node: id, state: "nothing was touched" },
		next: commandFor(context, `add-learner ${id}`),
	});
}
