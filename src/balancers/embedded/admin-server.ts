import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import { z } from "zod";
import { OperatorError, reasonOf } from "../../errors.js";
import type { BackendPool } from "./backend-pool.js";

const bodyLimitBytes = 64 * 1024;

const preferRequest = z.strictObject({
	nodes: z.array(z.string()).max(1_000),
	leaseMs: z.int().min(0).max(3_600_000),
});

interface Counts {
	readonly connections: number;
	readonly held: number;
}

interface Subject {
	readonly pool: BackendPool;
	readonly counts: () => Counts;
	/** Reads the configuration again. */
	readonly reload: () => Promise<void>;
}

/**
 * What raftctl asks and says, in JSON: GET /v1/backends and POST /v1/prefer {"nodes":[…],"leaseMs":…}, and POST
 * /v1/reload once the configuration was written anew. An error is {"error":"…"} with 400, 404, 405 or 413.
 */
export function adminServer(subject: Subject): Server {
	return createServer((request, response) => {
		answer(request, subject).then(
			({ status, body }) => send(response, status, body),
			// The client left in the middle of its request.
			() => response.destroy(),
		);
	});
}

interface Answer {
	readonly status: number;
	readonly body: object;
}

async function answer(
	request: IncomingMessage,
	{ pool, counts, reload }: Subject,
): Promise<Answer> {
	const { pathname } = new URL(request.url ?? "/", "http://balancer");
	const route = `${request.method} ${pathname}`;
	if (route === "GET /v1/backends") {
		const body = {
			backends: pool.statuses(),
			preferred: pool.preferred(),
			...counts(),
		};
		return { status: 200, body };
	}
	if (route === "POST /v1/prefer") return prefer(request, pool);
	if (route === "POST /v1/reload") return reloaded(reload, pool);
	const known = ["/v1/backends", "/v1/prefer", "/v1/reload"].includes(pathname);
	return known
		? refusal(405, `${pathname} is not for ${request.method}`)
		: refusal(404, `there is no ${pathname}`);
}

/** A configuration with mistakes changes nothing. */
async function reloaded(
	reload: () => Promise<void>,
	pool: BackendPool,
): Promise<Answer> {
	try {
		await reload();
		return { status: 200, body: { backends: pool.statuses() } };
	} catch (error) {
		const { problems = [] } = error instanceof OperatorError ? error : {};
		return refusal(400, [reasonOf(error), ...problems].join("; "));
	}
}

async function prefer(
	request: IncomingMessage,
	pool: BackendPool,
): Promise<Answer> {
	const text = await bodyOf(request);
	if (text === null) return refusal(413, "the request is too long");
	const parsed = preferRequest.safeParse(parseOrNull(text));
	if (!parsed.success)
		return refusal(400, 'the request is not {"nodes":[…],"leaseMs":…}');
	const unknown = pool.prefer(parsed.data.nodes, parsed.data.leaseMs);
	if (unknown.length > 0)
		return refusal(400, `not a backend here: ${unknown.join(", ")}`);
	return { status: 200, body: { preferred: pool.preferred() } };
}

function refusal(status: number, error: string): Answer {
	return { status, body: { error } };
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		// Read to the end all the same: the answer would be lost in a reset.
		if (bytes <= bodyLimitBytes) chunks.push(chunk);
	}
	return bytes <= bodyLimitBytes ? Buffer.concat(chunks).toString() : null;
}

function parseOrNull(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

function send(response: ServerResponse, status: number, body: object): void {
	response
		.writeHead(status, { "content-type": "application/json" })
		.end(`${JSON.stringify(body)}\n`);
}
