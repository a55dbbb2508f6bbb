import type { ApiContext } from "./context.js";
import {
	type Failure,
	failureJson,
	failureOfCommand,
	failureOfError,
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

type Fields = Readonly<Record<string, unknown>>;
type RequestId = string | number | null;

/** Runs one client message; `answer` is called exactly once, at once for one that cannot be read. */
export function runMessage(
	context: ApiContext,
	message: { readonly data: Buffer; readonly client: string },
	answer: (text: string) => void,
): void {
	let id: RequestId = null;
	try {
		const fields = fieldsOf(message.data);
		id = idOf(fields);
		if ("command" in fields)
			runCommand(context, { fields, id, client: message.client }, answer);
		else if ("query" in fields) runQuery(context, { fields, id }, answer);
		else
			throw new RequestError(
				"invalid",
				'a message has "id" and either "command" or "query"',
			);
	} catch (error) {
		answer(errorText(id, failureOfError(error)));
	}
}

function runCommand(
	{ replica, words, limits }: ApiContext,
	{ fields, id, client }: { fields: Fields; id: RequestId; client: string },
	answer: (text: string) => void,
): void {
	const command = words.command(fields.command);
	const ack = ackOf(fields.ack);
	const deadlineMs = timeoutMsOf(fields.timeoutMs, limits);
	replica.propose(command, { ack, deadlineMs, client }, (outcome) => {
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
	{ fields, id }: { fields: Fields; id: RequestId },
	answer: (text: string) => void,
): void {
	const query = words.query(fields.query);
	const options = {
		consistency: consistencyOf(fields.consistency),
		minIndex: minIndexOf(fields.minIndex),
		deadlineMs: timeoutMsOf(fields.timeoutMs, limits),
	};
	replica.query(query, options, (outcome) => {
		if (outcome.kind === "failed")
			answer(errorText(id, failureOfQuery(outcome)));
		else {
			const { index } = outcome;
			answer(
				resultText({ id, index }, ["answer", words.answer(outcome.answer)]),
			);
		}
	});
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
	if (typeof id === "number" || typeof id === "string") return id;
	throw new RequestError("invalid", '"id" is a number or a string');
}

/** `shown` names what the machine said, and is its JSON text. */
function resultText(
	{ id, index }: { id: RequestId; index?: number },
	shown?: readonly ["result" | "answer", string],
): string {
	const text = JSON.stringify({ type: "result", id, index });
	return shown === undefined
		? text
		: `${text.slice(0, -1)},"${shown[0]}":${shown[1]}}`;
}

function errorText(id: RequestId, failure: Failure): string {
	return JSON.stringify({ type: "error", id, error: failureJson(failure) });
}
