import type { SessionPlace } from "../../wire/client-frames.js";
import type { ProposeOptions } from "../replica.js";
import { wholeAgeMs } from "./answer-age.js";
import type { ApiContext } from "./context.js";
import {
	type Failure,
	failureJson,
	failureOfCommand,
	failureOfError,
	failureOfQuery,
	failureOfSession,
	RequestError,
	untaken,
} from "./failures.js";
import { JsonTextError, parseJson } from "./json-text.js";
import {
	ackOf,
	consistencyOf,
	levelOf,
	minIndexOf,
	sessionOf,
	timeoutMsOf,
} from "./request-options.js";

type Fields = Readonly<Record<string, unknown>>;
type RequestId = string | number | null;

/** Runs one client message; `answer` is called exactly once, at once for one that cannot be read. */
export function runMessage(
	context: ApiContext,
	message: {
		readonly data: Buffer;
		readonly client: string;
		/** Bytes of answers that the client has not taken. */
		unsentBytes(): number;
	},
	answer: (text: string) => void,
): void {
	let id: RequestId = null;
	try {
		const fields = fieldsOf(message.data);
		id = idOf(fields);
		if ("command" in fields)
			runCommand(context, { fields, id, client: message.client }, answer);
		else if ("query" in fields)
			runQuery(context, { ...message, fields, id }, answer);
		else if (fields.openSession === true)
			openSession(context, { fields, id, client: message.client }, answer);
		else
			throw new RequestError(
				"invalid",
				'a message has "id" and one of "command", "query" and "openSession": true',
			);
	} catch (error) {
		answer(errorText(id, failureOfError(error)));
	}
}

function runCommand(
	context: ApiContext,
	{ fields, id, client }: { fields: Fields; id: RequestId; client: string },
	answer: (text: string) => void,
): void {
	const { replica, words, limits } = context;
	const level = levelOf(fields.level) ?? context.writeLevel();
	const session = sessionIn(fields);
	const options: ProposeOptions = {
		ack: ackOf(fields.ack),
		deadlineMs: timeoutMsOf(fields.timeoutMs, limits),
		client,
		level,
		...(session === undefined ? {} : { session }),
	};
	const command = words.command(fields.command, level);
	replica.propose(command, options, (outcome) => {
		const failure = failureOfCommand(outcome);
		if (failure !== null) answer(errorText(id, failure));
		else if (outcome.kind === "applied") {
			const { index } = outcome;
			answer(
				resultText({ id, index }, ["result", words.result(outcome.result)]),
			);
		} else if (outcome.kind === "committed")
			answer(resultText({ id, index: outcome.index }));
		else answer(resultText({ id }));
	});
}

function runQuery(
	{ replica, words, limits }: ApiContext,
	{
		fields,
		id,
		unsentBytes,
	}: { fields: Fields; id: RequestId; unsentBytes(): number },
	answer: (text: string) => void,
): void {
	const query = words.query(fields.query);
	const options = {
		consistency: consistencyOf(fields.consistency),
		minIndex: minIndexOf(fields.minIndex),
		deadlineMs: timeoutMsOf(fields.timeoutMs, limits),
	};
	replica.query(query, options, (outcome) => {
		const unsent = unsentBytes();
		if (outcome.kind === "failed")
			answer(errorText(id, failureOfQuery(outcome)));
		else if (unsent > limits.maxUnsentAnswerBytes)
			answer(errorText(id, untaken(unsent)));
		else {
			const { index } = outcome;
			const age =
				options.consistency === "stale"
					? { ageMs: wholeAgeMs(outcome.ageMs) }
					: {};
			answer(
				resultText({ id, index, ...age }, [
					"answer",
					words.answer(outcome.answer),
				]),
			);
		}
	});
}

function openSession(
	{ replica, limits }: ApiContext,
	{ fields, id, client }: { fields: Fields; id: RequestId; client: string },
	answer: (text: string) => void,
): void {
	const deadlineMs = timeoutMsOf(fields.timeoutMs, limits);
	replica.openSession({ deadlineMs, client }, (outcome) => {
		if (outcome.kind !== "opened") {
			answer(errorText(id, failureOfSession(outcome)));
			return;
		}
		const { id: session, ttlMs } = outcome;
		answer(JSON.stringify({ type: "session", id, session, ttlMs }));
	});
}

function sessionIn({ session }: Fields): SessionPlace | undefined {
	if (session === undefined) return undefined;
	if (typeof session !== "object" || session === null)
		throw new RequestError(
			"invalid",
			'"session" is {"id","sequence","acknowledged"}',
		);
	const { id, sequence, acknowledged } = session as Fields;
	return sessionOf({ id: id ?? null, sequence, acknowledged });
}

function fieldsOf(data: Buffer): Fields {
	let json: unknown;
	try {
		json = parseJson(data);
	} catch (error) {
		if (!(error instanceof JsonTextError)) throw error;
		throw new RequestError(
			"invalid",
			`the message is not right: ${error.message}`,
		);
	}
	if (typeof json !== "object" || json === null || Array.isArray(json))
		throw new RequestError("invalid", "a message is a JSON object");
	return json as Fields;
}

function idOf({ id }: Fields): RequestId {
	// JSON can spell numbers that it cannot repeat, 1e999 for one.
	if (Number.isFinite(id) || typeof id === "string") return id as RequestId;
	throw new RequestError("invalid", '"id" is a number or a string');
}

/** `shown` names what the machine said, and is its JSON text. */
function resultText(
	{ id, index, ageMs }: { id: RequestId; index?: number; ageMs?: number },
	shown?: readonly ["result" | "answer", string],
): string {
	const text = JSON.stringify({ type: "result", id, index, ageMs });
	return shown === undefined
		? text
		: `${text.slice(0, -1)},"${shown[0]}":${shown[1]}}`;
}

function errorText(id: RequestId, failure: Failure): string {
	return JSON.stringify({ type: "error", id, error: failureJson(failure) });
}
