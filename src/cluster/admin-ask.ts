import { type ErrorKind, OperatorError } from "../errors.js";
import type { AdminCaller, AdminFailure } from "./admin-call.js";
import { ClockAheadError } from "./clock-ahead.js";
import type { CallOptions, NodeRef } from "./engine.js";
import { detailedRefusal } from "./refusal-details.js";

/** Calls a method and returns its answer's body; throws an OperatorError for whatever else comes. */
export type Ask = <Answer extends object>(
	node: NodeRef,
	method: string,
	request: object,
	options: CallOptions,
) => Promise<Answer>;

export function createAsk(caller: AdminCaller): Ask {
	return async <Answer extends object>(
		node: NodeRef,
		method: string,
		request: object,
		options: CallOptions,
	) => {
		const outcome = await caller.call(node, method, request, options);
		if (outcome.ok) return outcome.body as Answer;
		throw await refusal(node, method, outcome.failure);
	};
}

/** Connect's codes in the operator's terms. Codes not named here are a defect, of raftd or of raftctl. */
const kinds: Readonly<Record<string, ErrorKind>> = {
	aborted: "locked",
	failed_precondition: "refused",
	invalid_argument: "refused",
	not_found: "refused",
	resource_exhausted: "unreachable",
	unavailable: "unreachable",
	deadline_exceeded: "timeout",
	canceled: "timeout",
	foreign: "unreachable",
	unauthenticated: "unreachable",
	permission_denied: "unreachable",
};

const credentialsNext =
	"use a certificate or a token that has the role (docs/tls.md)";

/** Its clock is far ahead of the leader's, and what it takes would be dated by it. */
const clockCode = "out_of_range";

const leaderDetail = "raftctl.admin.v1.Member";

async function refusal(
	node: NodeRef,
	method: string,
	failure: AdminFailure,
): Promise<OperatorError> {
	const { code, message, details } = failure;
	const said = `${node.id}: ${message}`;
	for (const detail of details) {
		const error = await detailedRefusal(node, said, detail);
		if (error !== null) return error;
	}
	// It does not lead any more: the next look finds who does.
	const isMoved = details.some(({ type }) => type === leaderDetail);
	if (code === clockCode) return new ClockAheadError(node, said);
	const kind = isMoved ? "unreachable" : (kinds[code] ?? "unexpected");
	const state = `${method} at ${node.admin} answered ${code}`;
	return new OperatorError(kind, said, {
		node: node.id,
		state,
		...(code === "permission_denied" || code === "unauthenticated"
			? { isLasting: true, next: credentialsNext }
			: {}),
	});
}
