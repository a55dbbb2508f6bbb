import type { MemberStatus } from "../../cluster/engine.js";
import { confirmedLeader } from "../../cluster/health.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import {
	type Agreement,
	agreementText,
	isJoint,
	judgeAgreement,
} from "../membership/members.js";
import { isTimeout, waitUntil } from "../wait.js";
import type { Step } from "./step.js";

/** A member that answers has the configuration within a heartbeat of its commit; an election may come in between. */
const agreementTimeoutMs = 15_000;
/** One that gives no answer for so long will give none: it is named, and not waited for. */
const silenceMs = 4_000;

/**
 * After a change: every member reports the same configuration. Nobody's word is taken for another's, for a member that
 * missed it may come back as what it was before. Members that do not answer are named as a warning, and to `agreed`.
 */
export function agreeOnMembersStep(
	context: OperationContext,
	agreed: (agreement: Agreement) => void,
): Step {
	return {
		id: "cluster/agree",
		title: "see that every member reports the same configuration",
		node: null,
		cost: "",
		looks: true,
		async run(signal, progress) {
			const { clock } = context;
			const startedAt = clock.now();
			const found: { latest: Found | null } = { latest: null };
			await waitUntil(context, {
				name: "every member to report the same configuration",
				node: null,
				timeoutMs: agreementTimeoutMs,
				signal,
				progress,
				probe: async () => {
					const facts = await lookAtCluster(context, signal);
					const leader = confirmedLeader(facts);
					if (leader === null) return "no leader that a quorum confirms";
					if (isJoint(leader.members)) return "the change is not over yet";
					const agreement = judgeAgreement(facts, leader);
					found.latest = { agreement, members: leader.members };
					const waited = clock.now() - startedAt >= silenceMs;
					return missingIn(agreement, waited);
				},
			}).catch((error: unknown) => {
				throw notAgreed(context, error, found.latest?.agreement ?? null);
			});
			return settle(context, found.latest, agreed);
		},
	};
}

interface Found {
	readonly agreement: Agreement;
	readonly members: readonly MemberStatus[];
}

function missingIn(
	{ differing, silent }: Agreement,
	silenceCounts: boolean,
): string | null {
	const open = differing.filter(
		({ node }) => !(silenceCounts && silent.includes(node)),
	);
	return open.length === 0
		? null
		: open.map(({ node, fault }) => `${node} ${fault}`).join("; ");
}

function settle(
	context: OperationContext,
	latest: Found | null,
	agreed: (agreement: Agreement) => void,
): string | null {
	if (latest === null) return null;
	const { agreement, members } = latest;
	for (const { node, fault } of agreement.differing)
		context.emit({
			...{ type: "warning", node },
			message: `${node} could not be asked for the members: it ${fault}`,
		});
	agreed(agreement);
	return agreementText(agreement, members);
}

function notAgreed(
	context: OperationContext,
	error: unknown,
	agreement: Agreement | null,
): unknown {
	if (!isTimeout(error)) return error;
	return new OperatorError("partial", error.message, {
		problems: (agreement?.differing ?? []).map(
			({ node, fault }) => `${node} ${fault}`,
		),
		state: "the change is made; not every member knows of it",
		next: commandFor(context, "status"),
		cause: error,
	});
}
