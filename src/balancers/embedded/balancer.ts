import { request } from "node:http";
import type { EmbeddedBalancerEntry } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import { splitAddress } from "../address.js";
import type { BackendStatus, Balancer } from "../balancer.js";
import { checkTimeoutMs } from "./config.js";

const requestTimeoutMs = 2_000;
const answerLimitBytes = 1024 * 1024;

/** The embedded balancer as an operation sees it: a client of its admin port. */
export function embeddedBalancer(entry: EmbeddedBalancerEntry): Balancer {
	const { admin, checkIntervalMs } = entry;
	return {
		kind: "embedded",
		reactionMs: checkIntervalMs + checkTimeoutMs,
		async backends(signal) {
			const answer = await ask(admin, { path: "/v1/backends", signal });
			if (!isBackends(answer)) throw stranger(admin);
			return answer.backends;
		},
		async prefer(nodes, leaseMs, signal) {
			const body = JSON.stringify({ nodes, leaseMs });
			await ask(admin, { path: "/v1/prefer", body, signal });
		},
		async reload(signal) {
			await ask(admin, { path: "/v1/reload", body: "{}", signal });
		},
		close: async () => {},
	};
}

interface Question {
	readonly path: string;
	/** Makes it a POST. */
	readonly body?: string;
	readonly signal: AbortSignal | undefined;
}

async function ask(admin: string, question: Question): Promise<unknown> {
	const timeout = AbortSignal.timeout(requestTimeoutMs);
	const { signal } = question;
	let answer: { status: number; text: string };
	try {
		answer = await exchange(admin, {
			...question,
			signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
		});
	} catch (cause) {
		signal?.throwIfAborted();
		const reason = timeout.aborted
			? `no answer within ${requestTimeoutMs} ms`
			: reasonOf(cause);
		throw new OperatorError(
			"unreachable",
			`the balancer at ${admin} does not answer: ${reason}`,
			{ next: "raftctl up starts it", cause },
		);
	}
	const json = parseOrNull(answer.text);
	if (answer.status === 200 && json !== null) return json;
	throw stranger(admin, (json as { error?: unknown } | null)?.error);
}

function exchange(
	admin: string,
	{ path, body, signal }: Question,
): Promise<{ status: number; text: string }> {
	return new Promise((resolve, reject) => {
		const outgoing = request(
			{
				...splitAddress(admin),
				path,
				method: body === undefined ? "GET" : "POST",
				// A connection of its own: one that is kept would keep raftctl from ending.
				agent: false,
				...(signal ? { signal } : {}),
			},
			(response) => {
				let text = "";
				response.setEncoding("utf8");
				response.on("data", (chunk: string) => {
					text += chunk;
					if (text.length > answerLimitBytes)
						response.destroy(new Error("the answer is too long"));
				});
				response.once("error", reject);
				response.once("end", () =>
					resolve({ status: response.statusCode ?? 0, text }),
				);
			},
		);
		outgoing.once("error", reject).end(body);
	});
}

function parseOrNull(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

function isBackends(
	answer: unknown,
): answer is { readonly backends: readonly BackendStatus[] } {
	const { backends } = (answer ?? {}) as { backends?: unknown };
	return (
		Array.isArray(backends) &&
		backends.every(
			(one) =>
				typeof one?.node === "string" &&
				typeof one.admitting === "boolean" &&
				["up", "drain", "down"].includes(one.state) &&
				Number.isInteger(one.connections) &&
				typeof one.reason === "string",
		)
	);
}

function stranger(admin: string, error?: unknown): OperatorError {
	return typeof error === "string"
		? new OperatorError("unexpected", `the balancer at ${admin} says: ${error}`)
		: new OperatorError(
				"unreachable",
				`what answers at ${admin} is not the balancer`,
				{ next: "Compare the balancer's admin address in the cluster file" },
			);
}
