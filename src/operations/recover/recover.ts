import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { onHosts } from "../journal/host-journal.js";
import { nodeService } from "../node-service.js";
import type { Operation, Run } from "../operation.js";
import { awaitAnswer } from "../steps/join-node.js";
import type { Step } from "../steps/step.js";
import { tolerant } from "../steps/tolerant.js";
import { copiesOf, type FileCopy, leftElsewhere } from "./copies.js";
import { exportSteps, fileOf } from "./export-steps.js";
import { giveUpSteps } from "./give-up-steps.js";
import { awaitFree } from "./in-use.js";
import {
	diskOf,
	type NewCluster,
	newCluster,
	nodesOf,
	oldContextOf,
	reachableNodes,
	requireChoice,
	sourcePath,
	wasStarted,
} from "./new-cluster.js";
import { failureOf } from "./new-cluster-failure.js";
import {
	type NewClusterReport,
	newClusterReport,
} from "./new-cluster-report.js";
import { type Birth, birthSteps, type Tally } from "./new-cluster-steps.js";
import {
	requireNoHiddenQuorum,
	requireNoLeader,
	requireNoQuorum,
} from "./no-quorum.js";
import { begunWords, type RefusalWords } from "./refusal-words.js";
import { bestOf, type Holding, losses, survey } from "./survey.js";

export interface RecoverWish {
	/** None: every node that holds data that can be read. */
	readonly nodes: readonly string[];
}

/** What was found before anything was touched. */
export interface Survey {
	readonly holdings: readonly Holding[];
	/** The node whose data the new cluster begins with. */
	readonly best: string;
	/** What may be lost, in sentences. */
	readonly losses: readonly string[];
}

export interface RecoverReport extends NewClusterReport {
	/** The snapshot of all that the best survivor had; it stays. */
	readonly file: string;
	/** On which hosts it is. */
	readonly copies: readonly FileCopy[];
	readonly survey: Survey;
	/** Where the old cluster's log ended. */
	readonly fromIndex: number;
}

export interface RecoverMemo {
	readonly cluster: NewCluster;
	readonly survey: Survey;
	/** Nodes that ran before; whoever gives up starts them again. */
	readonly running: readonly string[];
}

/**
 * Makes a new cluster of what the best survivor of a lost majority has. `told` hears what was found, before anybody is
 * asked. Made for several runs.
 */
export function recover(
	wish: RecoverWish,
	told: (survey: Survey) => Promise<void> = async () => undefined,
): () => Operation<RecoverReport> {
	const seen: { cluster: NewCluster | null } = { cluster: null };
	return () => recoverOnce(wish, told, seen);
}

function recoverOnce(
	wish: RecoverWish,
	told: (survey: Survey) => Promise<void>,
	/** By an earlier run of the same wish. */
	seen: { cluster: NewCluster | null },
): Operation<RecoverReport> {
	const tally: Tally = {
		...{ isMoved: false, fileChanged: false, verified: null },
		...{ notes: [], unconfirmed: [] },
	};
	const birthOf = (run: Run): Birth => {
		const { cluster, survey: found } = run.memo as RecoverMemo;
		const fromIndex = async () =>
			(await fileOf(run.context, cluster))?.index ?? 0;
		const old = oldContextOf(run.context, cluster);
		// Nodes that were lost may come back at any time, and serve (docs/recover.md).
		const requireOutOfService = () =>
			requireNoQuorum(old, found.holdings, begunWords(old));
		return { run, cluster, tally, fromIndex, requireOutOfService };
	};
	return {
		name: "recover",
		text: ["recover", ...wish.nodes.map((id) => `--node ${id}`)].join(" "),
		...{ arguments: wish, skip: [], keeping: onHosts },
		async prepare(context): Promise<RecoverMemo> {
			await requireNoLeader(context, untouchedWords(context));
			const found = await surveyed(context);
			const reachable = await reachableNodes(context);
			const chosen = wish.nodes.length > 0 ? wish.nodes : survivors(found);
			requireChoice(context, chosen, reachable);
			await told(found);
			const touched = reachable.map(({ id }) => id);
			const running = found.holdings
				.filter((one) => one.running)
				.map(({ node }) => node);
			seen.cluster = newCluster(context, {
				...{ word: "recover", chosen, touched, shown: seen.cluster },
			});
			return { cluster: seen.cluster, survey: found, running };
		},
		async steps(run) {
			const { cluster, survey: found } = run.memo as RecoverMemo;
			const birth = birthOf(run);
			const touched = nodesOf(run.context, cluster.touched);
			return [
				...touched.map((node) => stopStep(birth, node)),
				...exportSteps(birth, found.best),
				...birthSteps(birth),
			];
		},
		async abortSteps(run) {
			const { running } = run.memo as RecoverMemo;
			const birth = birthOf(run);
			const steps = await giveUpSteps(birth);
			if (await wasStarted(run.context, birth.cluster)) return steps;
			const stopped = nodesOf(run.context, running);
			const starts = stopped.map((node) => startAgain(birth, node));
			const { unconfirmed } = tally;
			return [
				...steps,
				...starts.map((step) => tolerant(run.context, unconfirmed, step)),
			];
		},
		async report(run): Promise<RecoverReport> {
			const { cluster, survey: found } = run.memo as RecoverMemo;
			tally.notes.push(...leftElsewhere(run, cluster));
			return {
				copies: await copiesOf(run.context, cluster),
				file: sourcePath(
					run.context,
					cluster,
					nodesOf(run.context, cluster.chosen)[0]?.host ?? "local",
				),
				...{ survey: found, fromIndex: await birthOf(run).fromIndex() },
				...(await newClusterReport(run.context, cluster, tally)),
			};
		},
		failure: (run, cause) => failureOf(run, tally, cause),
	};
}

async function surveyed(context: OperationContext): Promise<Survey> {
	const holdings = await survey(context);
	await requireNoHiddenQuorum(context, holdings, untouchedWords(context));
	const best = bestOf(holdings);
	if (best !== null)
		return { holdings, best: best.node, losses: losses(holdings, best) };
	throw new OperatorError(
		"refused",
		"no node has data that can be recovered from",
		{
			problems: holdings.map(({ node, fault }) => `${node}: ${fault}`),
			state: "nothing was touched",
			next: `${commandFor(context, "snapshot restore FILE")} makes a new cluster of a snapshot`,
		},
	);
}

function survivors({ holdings }: Survey): readonly string[] {
	return holdings
		.filter(({ holds, fault }) => holds !== null && fault === "")
		.map(({ node }) => node);
}

function untouchedWords(context: OperationContext): RefusalWords {
	return {
		state: "nothing was touched",
		next: `${commandFor(context, "remove-node NODE")} or ${commandFor(context, "replace-node OLD NEW")} for nodes that are gone`,
	};
}

function stopStep(
	{ run, cluster, requireOutOfService }: Birth,
	node: NodeEntry,
): Step {
	const { context } = run;
	return {
		...{ id: `${node.id}/stop`, node: node.id, title: "stop it" },
		cost: "it has no quorum, and serves no writes",
		async isDone() {
			if ((await diskOf(context, node, cluster)).data === "new")
				return "it is of the new cluster";
			const state = await (await nodeService(context, node)).state();
			return state.running ? null : "it does not run";
		},
		async guard() {
			await requireOutOfService();
			await run.lock.requireFresh();
		},
		async run(signal) {
			const service = await nodeService(context, node);
			await service.stop(context.inventory.roll.stopTimeoutMs, signal);
			return null;
		},
	};
}

/** Until it answers as the node of the old cluster that it was; ready it may not be, for want of a quorum. */
function startAgain({ run, cluster }: Birth, node: NodeEntry): Step {
	const service = () => nodeService(run.context, node);
	const old = oldContextOf(run.context, cluster);
	return {
		...{ id: `${node.id}/start`, node: node.id, cost: "" },
		title: "start it again",
		isDone: async () =>
			(await (await service()).state()).running ? "it runs" : null,
		async run(signal, progress) {
			// A start beside somebody who still reads its data would end at once.
			await awaitFree(run.context, node, node.dataDirectory);
			const started = await service();
			await started.start(signal);
			const asked = { node, service: started };
			await awaitAnswer(old, asked, { signal, progress });
			return null;
		},
	};
}
