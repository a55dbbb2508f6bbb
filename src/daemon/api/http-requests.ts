import type { IncomingHttpHeaders } from "node:http";
import type { ProposeOptions, QueryOptions } from "../replica.js";
import { wholeAgeMs } from "./answer-age.js";
import type { ApiContext } from "./context.js";
import {
	type Failure,
	failureOfCommand,
	failureOfQuery,
	failureOfSession,
	RequestError,
	untaken,
} from "./failures.js";
import {
	ageHeader,
	type DoneOutcome,
	formatOf,
	type HttpResult,
} from "./http-formats.js";
import {
	ackOf,
	consistencyOf,
	levelOf,
	minIndexOf,
	sessionOf,
	timeoutMsOf,
} from "./request-options.js";

export type HttpOutcome = HttpResult | { readonly failure: Failure };

export interface HttpRequest {
	readonly body: Buffer;
	readonly options: URLSearchParams;
	readonly headers: IncomingHttpHeaders;
	/** Whose budget it counts against. */
	readonly client: string;
	/** Bytes of answers that the client has not taken. */
	unsentBytes(): number;
	/** The answer will hold so many; said at once, as many requests may be answered in one turn. */
	keep(bytes: number): void;
}

const commandHeaders = [
	"raftd-session",
	"raftd-sequence",
	"raftd-acknowledged",
	"raftd-level",
];

/** Runs POST /v1/command. Throws RequestError, at once, for what cannot be read; then `done` is never called. */
export function runCommand(
	context: ApiContext,
	request: HttpRequest,
	done: (outcome: HttpOutcome) => void,
): void {
	const { body, options, headers, client } = request;
	knownOnly(options, ["ack", "timeout-ms", "format"]);
	knownHeadersOnly(headers, commandHeaders);
	const format = formatOf(options.get("format"));
	const level =
		levelOf(headers["raftd-level"]) ??
		(format.isTranslated ? context.writeLevel() : undefined);
	const session = sessionOf({
		id: headers["raftd-session"],
		sequence: headers["raftd-sequence"],
		acknowledged: headers["raftd-acknowledged"],
	});
	const proposal: ProposeOptions = {
		ack: ackOf(options.get("ack") ?? undefined),
		deadlineMs: deadlineOf(context, options),
		client,
		...(session === undefined ? {} : { session }),
		...(level === undefined ? {} : { level }),
	};
	const command = format.command(context, body, level ?? 0);
	context.replica.propose(command, proposal, (outcome) => {
		const failure = failureOfCommand(outcome);
		if (failure !== null) {
			done({ failure });
			return;
		}
		if (outcome.kind === "applied") request.keep(outcome.result.length);
		done(format.done(context, outcome as DoneOutcome));
	});
}

/** Runs GET and POST /v1/query; of GET, `q` is the body. Throws RequestError as `runCommand` does. */
export function runQuery(
	context: ApiContext,
	request: Omit<HttpRequest, "body"> & { readonly body: Buffer | null },
	done: (outcome: HttpOutcome) => void,
): void {
	const { options, body } = request;
	knownHeadersOnly(request.headers, []);
	knownOnly(options, [
		"consistency",
		"min-index",
		"timeout-ms",
		"format",
		...(body === null ? ["q"] : []),
	]);
	const format = formatOf(options.get("format"));
	const text = body ?? Buffer.from(options.get("q") ?? "");
	const query = format.query(context, text, body === null ? "q" : "the body");
	const queryOptions: QueryOptions = {
		consistency: consistencyOf(options.get("consistency") ?? undefined),
		minIndex: minIndexOf(options.get("min-index") ?? undefined),
		deadlineMs: deadlineOf(context, options),
	};
	context.replica.query(query, queryOptions, (outcome) => {
		const unsent = request.unsentBytes();
		if (outcome.kind === "failed") done({ failure: failureOfQuery(outcome) });
		else if (unsent > context.limits.maxUnsentAnswerBytes)
			done({ failure: untaken(unsent) });
		else {
			request.keep(outcome.answer.length);
			const result = format.answer(context, outcome);
			done(
				queryOptions.consistency === "stale"
					? withAge(result, outcome.ageMs)
					: result,
			);
		}
	});
}

function withAge(result: HttpResult, ageMs: number): HttpResult {
	const headers = { ...result.headers, [ageHeader]: `${wholeAgeMs(ageMs)}` };
	return { ...result, headers };
}

/** POST /v1/sessions: opens a session for exactly-once commands. */
export function openSession(
	context: ApiContext,
	{ options, client }: Pick<HttpRequest, "options" | "client">,
	done: (outcome: HttpOutcome) => void,
): void {
	knownOnly(options, ["timeout-ms"]);
	const deadlineMs = deadlineOf(context, options);
	context.replica.openSession({ deadlineMs, client }, (outcome) => {
		if (outcome.kind !== "opened") done({ failure: failureOfSession(outcome) });
		else {
			const { id, ttlMs } = outcome;
			done({ status: 201, body: { session: id, ttlMs } });
		}
	});
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
	if (options.size === 0) return;
	const stranger = [...options.keys()].find((name) => !known.includes(name));
	if (stranger !== undefined)
		throw new RequestError(
			"invalid",
			`unknown option "${stranger}"; known are ${known.join(", ")}`,
		);
}

/** Nor must a misspelt header of ours: a command would leave its session unnoticed. */
function knownHeadersOnly(
	headers: IncomingHttpHeaders,
	known: readonly string[],
): void {
	for (const name in headers) {
		if (!name.startsWith("raftd-") || known.includes(name)) continue;
		throw new RequestError(
			"invalid",
			`unknown header ${name}; known here ${known.length === 0 ? "is none" : `are ${known.join(", ")}`}`,
		);
	}
}

function deadlineOf({ limits }: ApiContext, options: URLSearchParams): number {
	return timeoutMsOf(options.get("timeout-ms") ?? undefined, limits);
}
