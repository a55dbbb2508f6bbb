import type { IncomingMessage, ServerResponse } from "node:http";
import { streamProtocol } from "../../wire/client-frames.js";
import type { ApiContext } from "./context.js";
import {
	type Failure,
	failureOfError,
	RequestError,
	rejected,
} from "./failures.js";
import {
	failureAnswer,
	send,
	type WholeAnswer,
	wholeAnswer,
	writeFailure,
} from "./http-answers.js";
import type { HttpConnection } from "./http-connection.js";
import {
	type HttpOutcome,
	knownOnly,
	openSession,
	runCommand,
	runQuery,
	whoami,
} from "./http-requests.js";
import { announcesTooMuch, dropBody, readBody } from "./request-body.js";

interface Call {
	readonly request: IncomingMessage;
	readonly options: URLSearchParams;
	readonly connection: HttpConnection;
	readonly response: ServerResponse;
}

interface Route {
	readonly methods: readonly string[];
	readonly about: string;
	/** Null when the client went away. Throws RequestError. */
	run(context: ApiContext, call: Call): Promise<HttpOutcome | null>;
}

const routes: Readonly<Record<string, Route>> = {
	"/": {
		methods: ["GET"],
		about: "this description",
		run: async (context, { options }) => {
			knownOnly(options, []);
			return { status: 200, body: description(context) };
		},
	},
	"/v1/whoami": {
		methods: ["GET"],
		about: "the node that answers, and the leader it knows",
		run: async (context, { options }) => {
			knownOnly(options, []);
			return { status: 200, body: whoami(context) };
		},
	},
	"/v1/command": {
		methods: ["POST"],
		about:
			"execute a command; ?ack=none|commit|apply&timeout-ms=N&format=json|bytes",
		run: async (context, call) => {
			const body = await readBody(call.request, context.limits.maxBodyBytes);
			if (body === null) return null;
			const request = { ...requestOf(call), body };
			return new Promise((done) => runCommand(context, request, done));
		},
	},
	"/v1/sessions": {
		methods: ["POST"],
		about: "open a session for exactly-once commands; ?timeout-ms=N",
		run: async (context, { request, options, connection: { client } }) => {
			const body = await readBody(request, 0);
			if (body === null) return null;
			const asked = { options, client };
			return new Promise((done) => openSession(context, asked, done));
		},
	},
	"/v1/query": {
		methods: ["GET", "POST"],
		about:
			"ask, with GET ?q=JSON; ?consistency=linearizable|lease|stale&min-index=N&timeout-ms=N&format=json|bytes",
		run: async (context, call) => {
			const isGet = call.request.method === "GET";
			const body = isGet
				? null
				: await readBody(call.request, context.limits.maxBodyBytes);
			if (body === null && !isGet) return null;
			const request = { ...requestOf(call), body };
			return new Promise((done) => runQuery(context, request, done));
		},
	},
	"/v1/events": upgradeOnly("websocket", "a WebSocket with events; ?from=N"),
	"/v1/stream": upgradeOnly(streamProtocol, "a stream of binary frames"),
};

function requestOf({ request, options, connection, response }: Call) {
	return {
		options,
		headers: request.headers,
		client: connection.client,
		unsentBytes: () => connection.unsentBytes,
		keep: (bytes: number) => connection.keep(response, bytes),
	};
}

/** Answers one HTTP request; resolves when the answer is handed over. */
export async function serve(
	context: ApiContext,
	connection: HttpConnection,
	{ request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
	if (connection.isOver) return;
	const number = connection.begun();
	response.once("close", () => connection.answered());
	const last = () => connection.endsWith(number);
	try {
		const early = refuseAnnouncedBody(context, request);
		if (early !== null) {
			await refuseUnread(response, request, early);
			return;
		}
		const outcome = await answer(context, connection, { request, response });
		if (outcome === null) return;
		send(response, wholeAnswer(outcome), { last: last() });
	} catch (error) {
		if (error instanceof HttpRefusal) {
			send(response, error.answer, { last: last() });
			return;
		}
		const failure = failureOfError(error);
		// What is left of its body would be taken for the next request.
		const cut = failure.code === "too-large" && !request.complete;
		send(response, failureAnswer(failure), { last: cut || last() });
	}
}

/**
 * Refuses by the header alone, with nothing of the body kept. What arrives all the same is dropped for a while: a
 * connection closed over unread bytes is reset, and its sender would never read why.
 */
async function refuseUnread(
	response: ServerResponse,
	request: IncomingMessage,
	failure: Failure,
): Promise<void> {
	writeFailure(response, failure);
	await dropBody(request);
	response.end();
}

/** A refusal that HTTP has a status of its own for. */
class HttpRefusal extends Error {
	readonly answer: WholeAnswer;

	constructor(
		status: number,
		failure: Failure,
		headers: Record<string, string> = {},
	) {
		super(failure.message);
		const { body, headers: usual } = failureAnswer(failure);
		this.answer = { status, headers: { ...usual, ...headers }, body };
	}
}

async function answer(
	context: ApiContext,
	connection: HttpConnection,
	{ request, response }: Pick<Call, "request" | "response">,
): Promise<HttpOutcome | null> {
	const { limits } = context;
	if (connection.pending > limits.maxPendingRequests)
		return {
			failure: {
				...rejected("overloaded", "too many requests on this connection"),
				retryAfterMs: 1000,
			},
		};
	const url = request.url ?? "/";
	const mark = url.indexOf("?");
	const path = mark < 0 ? url : url.slice(0, mark);
	const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
	if (route === undefined) throw notFound(request, path);
	if (!route.methods.includes(request.method ?? ""))
		throw new HttpRefusal(
			405,
			rejected("invalid", `${path} takes ${route.methods.join(" and ")} only`),
			{ Allow: route.methods.join(", ") },
		);
	const options = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
	return route.run(context, { request, response, options, connection });
}

function notFound(request: IncomingMessage, path: string): HttpRefusal {
	const known = Object.entries(routes).map(
		([name, { methods }]) => `${methods.join("|")} ${name}`,
	);
	return new HttpRefusal(
		404,
		rejected(
			"invalid",
			`there is no ${request.method} ${path}; there are ${known.join(", ")}`,
		),
	);
}

function upgradeOnly(protocol: string, about: string): Route {
	return {
		methods: ["GET"],
		about: `${about} (Upgrade: ${protocol})`,
		run: async () => {
			throw new HttpRefusal(
				426,
				rejected("invalid", `this needs the header Upgrade: ${protocol}`),
				{ Upgrade: protocol },
			);
		},
	};
}

function description({ nodeId }: ApiContext): object {
	const endpoints = Object.entries(routes).map(
		([path, { methods, about }]) => `${methods.join("|")} ${path}: ${about}`,
	);
	return { server: "raftd", node: nodeId, endpoints };
}

/** Asked by a client whether it may send its body (Expect: 100-continue). */
export function refuseAnnouncedBody(
	context: ApiContext,
	request: IncomingMessage,
): Failure | null {
	const { maxBodyBytes } = context.limits;
	if (!announcesTooMuch(request, maxBodyBytes)) return null;
	return failureOfError(
		new RequestError(
			"too-large",
			`the body is longer than ${maxBodyBytes} bytes`,
		),
	);
}
