import type { NodeStatus } from "../../cluster/engine.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import {
	callOptions,
	type OperationContext,
	pollIntervalMs,
	refOf,
} from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { nodeService } from "../node-service.js";
import { isSilence } from "../wait.js";
import { reachableNodes } from "./new-cluster.js";
import { askRaftd } from "./raftd-files.js";

/** What one node has, from its disk, or while it runs by its own word. */
export interface Holding {
	readonly node: string;
	readonly running: boolean;
	/** Why nothing is known, or what is wrong; empty when all is well. */
	readonly fault: string;
	/** Null when nothing can be told. */
	readonly holds: {
		/** Of the last entry; null while it runs, as it does not say. */
		readonly lastTerm: number | null;
		readonly term: number;
		readonly lastIndex: number;
		/** It knew that everything up to here was committed. */
		readonly commit: number;
		readonly voters: readonly string[];
		readonly configurationIndex: number;
	} | null;
}

/** What `raftd inspect --json` prints, as far as it is looked at. */
interface DirectoryReport {
	readonly verdict: string;
	readonly holder: string | null;
	readonly holds: {
		readonly term: number;
		readonly lastIndex: number;
		readonly lastTerm: number;
		readonly commit: number;
		readonly configuration: {
			readonly index: number;
			readonly voters: readonly string[];
			readonly outgoing: readonly string[];
		};
	} | null;
	readonly problems: readonly { readonly what: string }[];
}

/** Looks at every node of the cluster file. Changes nothing. */
export async function survey(
	context: OperationContext,
): Promise<readonly Holding[]> {
	const reachable = await reachableNodes(context);
	return Promise.all(
		context.inventory.nodes.map((node) =>
			reachable.includes(node)
				? holdingOf(context, node)
				: nothing(node, "its host does not answer"),
		),
	);
}

async function holdingOf(
	context: OperationContext,
	node: NodeEntry,
): Promise<Holding> {
	const { running } = await (await nodeService(context, node)).state();
	if (!running) return onDisk(context, node);
	try {
		const status = await statusSoon(context, node);
		const voters = status.members.filter(({ role }) => role !== "learner");
		return {
			...{ node: node.id, running, fault: "" },
			holds: {
				...{ lastTerm: null, term: status.term, lastIndex: status.lastIndex },
				commit: status.commitIndex,
				voters: voters.map(({ id }) => id),
				configurationIndex: status.configurationIndex,
			},
		};
	} catch (error) {
		throwIfEnded(context.signal);
		return { ...nothing(node, reasonOf(error)), running };
	}
}

/** A node that was started a moment ago has still to open its log: it is not to be passed over for that. */
async function statusSoon(
	context: OperationContext,
	node: NodeEntry,
): Promise<NodeStatus> {
	const { clock, engine, signal } = context;
	const startedAt = clock.now();
	for (;;) {
		try {
			return await engine.status(refOf(node), callOptions(signal));
		} catch (error) {
			const isOver = clock.now() - startedAt >= startLimitMs;
			if (!isSilence(error) || isOver) throw error;
			await clock.sleep(pollIntervalMs, signal);
		}
	}
}

/** To open its log, after a start. */
export const startLimitMs = 5_000;

/** What a node that is down holds. */
export async function onDisk(
	context: OperationContext,
	node: NodeEntry,
): Promise<Holding> {
	const host = await context.machines.host(node.host);
	let report: DirectoryReport;
	try {
		report = await askRaftd<DirectoryReport>(context, host, {
			words: ["inspect", "--data-dir", node.dataDirectory],
		});
	} catch (error) {
		throwIfEnded(context.signal);
		if (error instanceof OperatorError) return nothing(node, error.message);
		throw error;
	}
	const { verdict, holds, holder, problems } = report;
	const isWhole = verdict === "healthy" || verdict === "repairable";
	if (holder !== null) return nothing(node, `its data is in use by ${holder}`);
	if (holds === null)
		return nothing(node, problems[0]?.what ?? "it has no data");
	const { term, lastTerm, lastIndex, commit, configuration } = holds;
	const { voters, outgoing, index } = configuration;
	return {
		...{ node: node.id, running: false },
		fault: isWhole ? "" : `${verdict}: ${problems[0]?.what ?? "see doctor"}`,
		holds: {
			...{ term, lastTerm, lastIndex, commit, configurationIndex: index },
			voters: [...new Set([...voters, ...outgoing])],
		},
	};
}

function nothing({ id }: NodeEntry, fault: string): Holding {
	return { node: id, running: false, fault, holds: null };
}

/**
 * The survivor to go on from: of those that are whole the one with the highest last term, then the highest index, as an
 * election would choose (Raft §5.4.1). One that runs does not say the term of its last entry: as long as one does, the
 * index alone proposes.
 */
export function bestOf(holdings: readonly Holding[]): Holding | null {
	const whole = holdings.filter(
		({ holds, fault }) => holds !== null && fault === "",
	);
	const isTermKnown = whole.every(({ holds }) => holds?.lastTerm !== null);
	const termOf = ({ holds }: Holding) =>
		isTermKnown ? (holds?.lastTerm ?? 0) : 0;
	const [best] = whole.sort(
		(a, b) => termOf(b) - termOf(a) || indexOf(b) - indexOf(a),
	);
	return best ?? null;
}

function indexOf({ holds }: Holding): number {
	return holds?.lastIndex ?? 0;
}

/** What is known to be lost, may be, or cannot be; whole sentences. */
export function losses(
	holdings: readonly Holding[],
	best: Holding,
): readonly string[] {
	const { node, holds } = best;
	if (holds === null) return [];
	const { voters, lastIndex, commit } = holds;
	const whole = holdings.filter((one) => one.holds !== null && !one.fault);
	const isWhole = (id: string) => whole.some((one) => one.node === id);
	const gone = voters.filter((id) => !isWhole(id));
	const majority = Math.floor(voters.length / 2) + 1;
	const tail =
		lastIndex > commit
			? [
					`The entries ${commit + 1} to ${lastIndex} of ${node} are kept. It did not know them to be committed: some may never have been acknowledged.`,
				]
			: [];
	if (voters.length - gone.length >= majority)
		return [
			`A majority of the voters (${voters.join(", ")}) is here, with its data: nothing that was acknowledged is lost. Starting it, with raftctl up, may be all that is needed.`,
			...tail,
		];
	return [
		`Gone: ${gone.join(", ")}, of the voters ${voters.join(", ")}. Writes behind index ${lastIndex} that were acknowledged without the survivors are lost; how many nobody can say.`,
		...newerConfigurations(whole, best),
		...tail,
	];
}

function newerConfigurations(
	whole: readonly Holding[],
	best: Holding,
): readonly string[] {
	const seen = best.holds?.configurationIndex ?? 0;
	return whole.flatMap(({ node, holds }) =>
		holds !== null && holds.configurationIndex > seen
			? [
					`${node} knows members (${holds.voters.join(", ")}) that are newer than those of ${best.node}: more was decided than ${best.node} has.`,
				]
			: [],
	);
}
