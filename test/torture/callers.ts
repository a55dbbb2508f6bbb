import { Agent, request } from "node:http";
import {
	NotDoneError,
	OutcomeUnknownError,
	type RaftClient,
} from "../../src/client/index.js";
import type { Command, Query, Result, Value } from "./words.js";

/** How a call ended, as far as whoever made it can tell. */
export type Outcome<T> =
	| { readonly kind: "done"; readonly index: number; readonly output: T }
	| { readonly kind: "failed"; readonly reason: string }
	| { readonly kind: "unknown"; readonly reason: string };

export type Consistency = "linearizable" | "lease" | "stale";

/** One way to speak to the cluster. Never rejects for what a network or a node can do. */
export interface Caller {
	command(command: Command): Promise<Outcome<Result>>;
	query(query: Query, consistency: Consistency): Promise<Outcome<Value>>;
	close(): Promise<void>;
}

export const callTimeoutMs = 2_000;

/** The client library, with what it does by itself: finding the leader, and trying again. */
export function libraryCaller(client: RaftClient): Caller {
	const outcome = async <T>(
		answer: Promise<{ index: number; result: Buffer }>,
	): Promise<Outcome<T>> => {
		try {
			const { index, result } = await answer;
			return { kind: "done", index, output: outputOf<T>(`${result}`) };
		} catch (error) {
			const { message: reason } = error as Error;
			if (error instanceof OutcomeUnknownError)
				return { kind: "unknown", reason };
			if (error instanceof NotDoneError) return { kind: "failed", reason };
			throw error;
		}
	};
	return {
		command: (command) => outcome(client.command(bytesOf(command))),
		query: (query, consistency) =>
			outcome(client.query(bytesOf(query), { consistency })),
		close: () => client.close(),
	};
}

/** Plain HTTP to one node after the other, each request sent once. */
export function httpCaller(
	addresses: readonly string[],
	next: () => number,
): Caller {
	const agent = new Agent({ keepAlive: true, maxSockets: 4 });
	const address = () =>
		addresses[Math.floor(next() * addresses.length)] as string;
	const post = (kind: string, options: string, body: Buffer) =>
		exchange(
			{ agent, address: address(), path: `/v1/${kind}?${options}` },
			body,
		);
	return {
		async command(command) {
			const options = `timeout-ms=${callTimeoutMs}`;
			const said = await post("command", options, bytesOf(command));
			return outcomeOf(said, ({ result }) => result as Result);
		},
		async query(query, consistency) {
			const options = `timeout-ms=${callTimeoutMs}&consistency=${consistency}`;
			const said = await post("query", options, bytesOf(query));
			const outcome = outcomeOf(said, ({ answer }) => answer as Value);
			// A question changes nothing.
			return outcome.kind === "unknown"
				? { ...outcome, kind: "failed" }
				: outcome;
		},
		close: async () => agent.destroy(),
	};
}

function bytesOf(words: Command | Query): Buffer {
	return Buffer.from(JSON.stringify(words));
}

/** Throws for what the machine refuses: the run itself is wrong then. */
function outputOf<T>(text: string): T {
	const output = JSON.parse(text);
	if (output !== null && typeof output === "object" && "invalid" in output)
		throw new Error(`the machine says ${text}`);
	return output;
}

interface Body {
	readonly index: number;
	readonly result?: unknown;
	readonly answer?: unknown;
	readonly error?: { readonly outcome: string; readonly message: string };
}

type Said =
	| { readonly kind: "answer"; readonly body: Body }
	| { readonly kind: "never-sent" | "lost"; readonly reason: string };

function outcomeOf<T>(said: Said, output: (body: Body) => T): Outcome<T> {
	if (said.kind !== "answer") {
		const kind = said.kind === "never-sent" ? "failed" : "unknown";
		return { kind, reason: said.reason };
	}
	const { body } = said;
	if (body.error === undefined)
		return { kind: "done", index: body.index, output: output(body) };
	const { outcome, message: reason } = body.error;
	return { kind: outcome === "rejected" ? "failed" : "unknown", reason };
}

/** The node's own deadline comes first where it lives. */
const graceMs = 500;

function exchange(
	to: {
		readonly agent: Agent;
		readonly address: string;
		readonly path: string;
	},
	body: Buffer,
): Promise<Said> {
	const [host, port] = to.address.split(":");
	return new Promise((resolve) => {
		let sent = false;
		const failed = (error: Error) => {
			const kind = sent ? "lost" : "never-sent";
			resolve({ kind, reason: `${to.address}: ${error.message}` });
		};
		const outgoing = request({
			...{ host, port, path: to.path, agent: to.agent, method: "POST" },
			headers: { "content-type": "application/json" },
			signal: AbortSignal.timeout(callTimeoutMs + graceMs),
		});
		// Without a connection nothing of it has left.
		outgoing.once("socket", (socket) => {
			if (!socket.connecting) sent = true;
			else
				socket.once("connect", () => {
					sent = true;
				});
		});
		outgoing.once("error", failed);
		outgoing.once("response", (response) => {
			const chunks: Buffer[] = [];
			response.on("data", (chunk) => chunks.push(chunk));
			response.once("error", failed);
			response.once("end", () => {
				try {
					const answer = JSON.parse(Buffer.concat(chunks).toString());
					resolve({ kind: "answer", body: answer });
				} catch (error) {
					failed(error as Error);
				}
			});
		});
		outgoing.end(body);
	});
}
