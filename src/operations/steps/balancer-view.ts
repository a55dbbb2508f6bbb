import type { BackendStatus, Balancer } from "../../balancers/balancer.js";
import { OperatorError } from "../../errors.js";
import { callTimeoutMs } from "../context.js";

/** The balancer's own view, fresh. Throws OperatorError "unreachable" when there is none in time. */
export async function lookAtBalancer(
	balancer: Balancer,
	signal: AbortSignal,
	timeoutMs: number = callTimeoutMs,
): Promise<readonly BackendStatus[]> {
	const limitMs = Math.max(timeoutMs, balancer.answerLimitMs ?? 0);
	const timeout = AbortSignal.timeout(limitMs);
	try {
		return await balancer.backends(AbortSignal.any([signal, timeout]));
	} catch (error) {
		signal.throwIfAborted();
		if (!timeout.aborted) throw error;
		throw new OperatorError(
			"unreachable",
			`the balancer did not answer within ${limitMs} ms`,
			{ cause: error },
		);
	}
}

/** Why the balancer does not send new connections to `node` yet; null when it does. */
export function admissionFault(
	backends: readonly BackendStatus[],
	node: string,
): string | null {
	const backend = backends.find((one) => one.node === node);
	if (backend === undefined) return `the balancer does not know ${node}`;
	if (backend.disagreement !== undefined)
		return `some balancers do not send ${node} connections yet (${backend.disagreement})`;
	if (backend.admitting) return null;
	return `the balancer holds ${node} as ${backend.state}${backend.reason === "" ? "" : ` (${backend.reason})`}`;
}

/** Whether any balancer still sends new connections to `node`. */
export function isAdmitted(
	backends: readonly BackendStatus[],
	node: string,
): boolean {
	return backends.some((one) => one.node === node && one.admitting);
}

/** Why taking these nodes away would leave nothing to connect to; null when another backend admits. */
export function loneBackendFault(
	backends: readonly BackendStatus[],
	nodes: readonly string[],
): string | null {
	return backends.some(
		({ node, admitting, disagreement }) =>
			!nodes.includes(node) && admitting && disagreement === undefined,
	)
		? null
		: `the balancer would have no backend but ${nodes.join(", ")}`;
}

/** Time for a word to reach the balancer and take hold, with room for a slow machine. */
export function balancerLimitMs({ reactionMs }: Balancer): number {
	return 2 * reactionMs + 5_000;
}
