import { OperatorError, reasonOf } from "../errors.js";
import { type AdminDoor, adminDoor, handshakeFault } from "./admin-door.js";
import type { CallOptions, NodeRef } from "./engine.js";

/** What a node said no with: Connect's error object, as JSON over HTTP. */
export interface AdminFailure {
	/** Connect's code, for example "aborted"; "unknown" when the answer named none, "foreign" when it was no answer of raftd. */
	readonly code: string;
	readonly message: string;
	readonly details: readonly FailureDetail[];
}

/** More about a failure: a protobuf message of this type, in base64 without padding. */
export interface FailureDetail {
	readonly type: string;
	readonly value: string;
}

type AdminOutcome =
	| { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
	| { readonly ok: false; readonly failure: AdminFailure };

export interface AdminCaller {
	/**
	 * POSTs `request` to the method of the admin service. A refusal by the node is an outcome; throws OperatorError
	 * "unreachable" when it does not answer in time, and "interrupted" (or the signal's own OperatorError) on abort.
	 */
	call(
		node: NodeRef,
		method: string,
		request: object,
		options: CallOptions,
	): Promise<AdminOutcome>;
	close(): void;
}

/** A status with a thousand members is far below this; anything larger is not an answer of raftd. */
const maxAnswerBytes = 4 * 1024 * 1024;

export function createAdminCaller(
	door: AdminDoor = adminDoor(null),
): AdminCaller {
	return {
		async call(node, method, body, options) {
			const answer = await post(door, { node, method, body, options });
			const json = parse(answer.text);
			if (answer.status === 200 && json !== null)
				return { ok: true, body: json };
			return { ok: false, failure: failureOf(answer.status, json) };
		},
		close: () => door.close(),
	};
}

interface Post {
	readonly node: NodeRef;
	readonly method: string;
	readonly body: object;
	readonly options: CallOptions;
}

async function post(
	door: AdminDoor,
	{ node, method, body, options }: Post,
): Promise<{ status: number; text: string }> {
	options.signal?.throwIfAborted();
	const timeout = AbortSignal.timeout(options.timeoutMs);
	const signal = options.signal
		? AbortSignal.any([options.signal, timeout])
		: timeout;
	const exchanged = {
		...{ node, path: `/raftctl.admin.v1.AdminService/${method}` },
		payload: JSON.stringify(body),
		signal,
	};
	try {
		return await exchange(door, exchanged).catch((error: unknown) => {
			// A kept connection of a process that has since been restarted; only reading may be done twice.
			if (!(error instanceof StaleConnection) || !/^(Get|List)/.test(method))
				throw error;
			return exchange(door, exchanged);
		});
	} catch (error) {
		if (options.signal?.aborted) throw options.signal.reason;
		throw silence(node, error, {
			state: `asked ${method} at ${node.admin}`,
			limitMs: timeout.aborted ? options.timeoutMs : null,
		});
	}
}

/** `limitMs`: of the time that ran out; null when something else ended it. */
export function silence(
	{ id }: NodeRef,
	cause: unknown,
	{
		state,
		limitMs,
	}: { readonly state: string; readonly limitMs: number | null },
): OperatorError {
	if (limitMs !== null)
		return new OperatorError(
			"unreachable",
			`${id} did not answer within ${limitMs} ms`,
			{ node: id, state, cause },
		);
	const fault = handshakeFault(cause);
	return new OperatorError(
		"unreachable",
		`${id} does not answer: ${fault ?? reasonOf(cause)}`,
		{
			...{ node: id, state, cause },
			...(fault === null ? {} : { next: "raftctl certs status" }),
		},
	);
}

class StaleConnection extends Error {
	override readonly name = "StaleConnection";
}

interface Exchange {
	readonly node: NodeRef;
	readonly path: string;
	readonly payload: string;
	readonly signal: AbortSignal;
}

async function exchange(
	door: AdminDoor,
	{ node, path, payload, signal }: Exchange,
): Promise<{ status: number; text: string }> {
	const call = await door.open(node, {
		...{ method: "POST", path, signal },
		headers: {
			"content-type": "application/json",
			"content-length": Buffer.byteLength(payload),
		},
	});
	return await new Promise((resolve, reject) => {
		call.on("error", (error: NodeJS.ErrnoException) =>
			reject(
				call.reusedSocket && error.code === "ECONNRESET"
					? new StaleConnection("the connection was closed", { cause: error })
					: error,
			),
		);
		call.on("response", (response) => {
			const chunks: Buffer[] = [];
			let bytes = 0;
			response.on("data", (chunk: Buffer) => {
				bytes += chunk.length;
				if (bytes > maxAnswerBytes)
					call.destroy(new Error(`the answer exceeds ${maxAnswerBytes} bytes`));
				else chunks.push(chunk);
			});
			// A connection cut in the middle of an answer ends without "end".
			response.on("error", reject);
			response.on("aborted", () => reject(new Error("the answer was cut")));
			response.on("end", () =>
				resolve({
					status: response.statusCode ?? 0,
					text: Buffer.concat(chunks).toString("utf8"),
				}),
			);
		});
		call.end(payload);
	});
}

function parse(text: string): Record<string, unknown> | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null && !Array.isArray(value)
			? (value as Record<string, unknown>)
			: null;
	} catch {
		return null;
	}
}

function failureOf(
	status: number,
	json: Record<string, unknown> | null,
): AdminFailure {
	if (json === null)
		return {
			code: "foreign",
			message: `HTTP ${status} without a JSON object: not raftd's admin port`,
			details: [],
		};
	const { code, message, details } = json;
	return {
		code: typeof code === "string" ? code : "unknown",
		message:
			typeof message === "string" && message !== ""
				? message
				: `HTTP ${status}`,
		details: Array.isArray(details) ? details.filter(isDetail) : [],
	};
}

function isDetail(value: unknown): value is FailureDetail {
	if (typeof value !== "object" || value === null) return false;
	const { type, value: bytes } = value as Partial<FailureDetail>;
	return typeof type === "string" && typeof bytes === "string";
}
