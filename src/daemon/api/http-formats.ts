import type { CommandOutcome, QueryOutcome } from "../replica.js";
import type { ApiContext } from "./context.js";
import { RequestError } from "./failures.js";
import { JsonTextError, parseJson } from "./json-text.js";

/** What is sent back when all went well. */
export type HttpResult = {
	readonly status: number;
	readonly headers?: Record<string, string>;
} & (
	| { readonly body: unknown }
	/** The body as JSON text. */
	| { readonly json: string }
	/** The machine's own bytes. */
	| { readonly bytes: Uint8Array }
);

/** How a body and its answer are written. */
interface HttpFormat {
	/** Each throws RequestError "invalid". */
	command(context: ApiContext, body: Buffer, level: number): Uint8Array;
	query(context: ApiContext, body: Buffer, what: string): Uint8Array;
	done(context: ApiContext, outcome: DoneOutcome): HttpResult;
	answer(context: ApiContext, outcome: AnswerOutcome): HttpResult;
	/** Bytes come in the level that their sender knows; JSON is translated into one here. */
	readonly isTranslated: boolean;
}

export type DoneOutcome = Exclude<
	CommandOutcome,
	{ kind: "rejected" | "unknown" }
>;
type AnswerOutcome = Extract<QueryOutcome, { kind: "answer" }>;

export const ageHeader = "raftd-age-ms";
const indexHeader = "raftd-index";
const nothing = new Uint8Array();

const json: HttpFormat = {
	isTranslated: true,
	command: ({ words }, body, level) =>
		words.command(jsonOf(body, "the body"), level),
	query: ({ words }, body, what) => words.query(jsonOf(body, what)),
	done({ words }, outcome) {
		if (outcome.kind === "accepted") return { status: 202, body: {} };
		const { index } = outcome;
		if (outcome.kind === "committed") return { status: 200, body: { index } };
		const result = words.result(outcome.result);
		return { status: 200, json: `{"index":${index},"result":${result}}` };
	},
	answer: ({ words }, { index, answer }) => ({
		status: 200,
		json: `{"index":${index},"answer":${words.answer(answer)}}`,
	}),
};

const bytes: HttpFormat = {
	isTranslated: false,
	command: (_, body) => body,
	query: (_, body) => body,
	done(_, outcome) {
		if (outcome.kind === "accepted") return { status: 202, bytes: nothing };
		return {
			status: 200,
			headers: { [indexHeader]: `${outcome.index}` },
			bytes: outcome.kind === "applied" ? outcome.result : nothing,
		};
	},
	answer: (_, { index, answer }) => ({
		status: 200,
		headers: { [indexHeader]: `${index}` },
		bytes: answer,
	}),
};

/** Throws RequestError for a format that there is not; JSON is the default. */
export function formatOf(value: string | null): HttpFormat {
	if (value === null || value === "json") return json;
	if (value === "bytes") return bytes;
	throw new RequestError(
		"invalid",
		`format is one of json, bytes, not ${JSON.stringify(value).slice(0, 40)}`,
	);
}

function jsonOf(text: Buffer, what: string): unknown {
	try {
		return parseJson(text);
	} catch (error) {
		if (!(error instanceof JsonTextError)) throw error;
		throw new RequestError("invalid", `${what} is not right: ${error.message}`);
	}
}
