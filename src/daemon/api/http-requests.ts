import type { ApiContext } from "./context.js";
import {
	type Failure,
	failureOfCommand,
	failureOfQuery,
	RequestError,
} from "./failures.js";
import { JsonTextError, parseJson } from "./json-text.js";
import {
	ackOf,
	consistencyOf,
	minIndexOf,
	timeoutMsOf,
} from "./request-options.js";

export type HttpOutcome =
	| { readonly status: number; readonly body: unknown }
	/** `json` is the body as JSON text. */
	| { readonly status: number; readonly json: string }
	| { readonly failure: Failure };

/** Runs POST /v1/command. Throws RequestError, at once, for what cannot be read. */
export function runCommand(
	{ replica, words, limits }: ApiContext,
	request: { body: Buffer; options: URLSearchParams; client: string },
): Promise<HttpOutcome> {
	const { options, client } = request;
	knownOnly(options, ["ack", "timeout-ms"]);
	const ack = ackOf(options.get("ack") ?? undefined);
	const deadlineMs = timeoutMsOf(
		options.get("timeout-ms") ?? undefined,
		limits,
	);
	const command = words.command(jsonOf(request.body, "the body"));
	return new Promise((resolve) =>
		replica.propose(command, { ack, deadlineMs, client }, (outcome) => {
			const failure = failureOfCommand(outcome);
			if (failure !== null) resolve({ failure });
			else if (outcome.kind === "applied") {
				const result = words.result(outcome.result);
				const json = `{"index":${outcome.index},"result":${result}}`;
				resolve({ status: 200, json });
			} else if (outcome.kind === "committed")
				resolve({ status: 200, body: { index: outcome.index } });
			else resolve({ status: 202, body: {} });
		}),
	);
}

/** Runs GET and POST /v1/query; `body` is null for GET. Throws RequestError, at once, for what cannot be read. */
export function runQuery(
	{ replica, words, limits }: ApiContext,
	request: { body: Buffer | null; options: URLSearchParams },
): Promise<HttpOutcome> {
	const { options, body } = request;
	knownOnly(options, [
		"consistency",
		"min-index",
		"timeout-ms",
		...(body === null ? ["q"] : []),
	]);
	const text = body ?? Buffer.from(options.get("q") ?? "");
	const query = words.query(jsonOf(text, body === null ? "q" : "the body"));
	const queryOptions = {
		consistency: consistencyOf(options.get("consistency") ?? undefined),
		minIndex: minIndexOf(options.get("min-index") ?? undefined),
		deadlineMs: timeoutMsOf(options.get("timeout-ms") ?? undefined, limits),
	};
	return new Promise((resolve) =>
		replica.query(query, queryOptions, (outcome) => {
			if (outcome.kind === "failed")
				resolve({ failure: failureOfQuery(outcome) });
			else {
				const { index } = outcome;
				const answer = words.answer(outcome.answer);
				resolve({ status: 200, json: `{"index":${index},"answer":${answer}}` });
			}
		}),
	);
}

/** GET /v1/whoami: who answers, and whom it takes for the leader. */
export function whoami({ nodeId, replica }: ApiContext): object {
	const { raft, applied } = replica.status();
	const leader = raft.leader;
	const address = leader === null ? null : raft.configuration.addresses[leader];
	return {
		node: nodeId,
		role: raft.role,
		term: raft.term,
		leader,
		leaderClient: address?.client ?? null,
		applied,
	};
}

/** A misspelt option must not pass for its default. */
export function knownOnly(
	options: URLSearchParams,
	known: readonly string[],
): void {
	const stranger = [...options.keys()].find((name) => !known.includes(name));
	if (stranger !== undefined)
		throw new RequestError(
			"invalid",
			`unknown option "${stranger}"; known are ${known.join(", ")}`,
		);
}

function jsonOf(bytes: Buffer, what: string): unknown {
	try {
		return parseJson(bytes);
	} catch (error) {
		if (!(error instanceof JsonTextError)) throw error;
		throw new RequestError("invalid", `${what} is not right: ${error.message}`);
	}
}
