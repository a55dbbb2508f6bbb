import type { MembershipChange } from "../../cluster/engine.js";
import { statusOf } from "../../cluster/facts.js";
import { OperatorError } from "../../errors.js";
import { commandFor, healthLimits, lookAtCluster } from "../context.js";
import { isTimeout, waitUntil } from "../wait.js";
import type { Skip } from "./options.js";
import { type ChangeVerdict, judgeChange } from "./verdict.js";
import type { View } from "./view.js";

/** A heartbeat may just be missing; a voter that is down stays down for longer than this. */
const admissionTimeoutMs = 1_500;

interface Question {
	readonly changes: readonly MembershipChange[];
	/** Learners that will have caught up by then. */
	readonly assumed?: readonly string[];
	readonly skip: Skip;
	/** The sentence before the reason: "removing n3 is not safe". */
	readonly what: string;
}

/** Throws OperatorError "refused", with who blocks, unless enough of the voters that there would be are connected. */
export async function requireSafeChange(
	{ context }: View,
	{ changes, assumed = [], skip, what }: Question,
): Promise<void> {
	const { signal } = context;
	let verdict: ChangeVerdict | null = null;
	let silent: readonly string[] = [];
	await waitUntil(context, {
		...{ name: what, node: null, timeoutMs: admissionTimeoutMs, signal },
		probe: async () => {
			const facts = await lookAtCluster(context, signal);
			const judged = judgeChange(facts, changes, {
				...healthLimits(context),
				assumed,
			});
			verdict = judged;
			silent = judged.voters.filter((id) => statusOf(facts, id) === null);
			const isWaived = skip.includes("quorum") && judged.voters.length > 0;
			return judged.safe || isWaived ? null : judged.reason;
		},
	}).catch((error: unknown) => {
		if (!isTimeout(error)) throw error;
		const reason = (verdict as ChangeVerdict | null)?.reason ?? error.message;
		throw new OperatorError("refused", `${what}: ${reason}`, {
			state: "nothing was touched",
			next: commandFor(context, silent.length > 0 ? "up" : "status"),
			cause: error,
		});
	});
}
