import {
	type ClientHttp2Session,
	type ClientHttp2Stream,
	connect,
	constants,
	type IncomingHttpHeaders,
} from "node:http2";
import {
	deleteBelowRequest,
	deletedIn,
	grpcFrame,
	grpcHeaderBytes,
	putRequest,
	rangeRequest,
} from "./etcd-words.js";
import type { EtcdWish, RequestWish } from "./load.js";
import type { Target } from "./target.js";

const removalTimeoutMs = 60_000;
/** What Node.js keeps for one session, in MB: with its 10, many large values would be refused here. */
const maxSessionMemory = 1000;

/**
 * etcd over gRPC in plain text, spoken on HTTP/2 directly: a library of gRPC would take several times as long for a
 * request as etcd does.
 */
export function openEtcdTarget(
	{ endpoints }: EtcdWish,
	{ timeoutMs, connections }: Pick<RequestWish, "timeoutMs" | "connections">,
): Target {
	const channels = Array.from(
		{ length: connections },
		(_, at) => new Channel(endpoints[at % endpoints.length] as string),
	);
	let turn = 0;
	const call = (method: string, body: Uint8Array, limitMs = timeoutMs) => {
		turn = (turn + 1) % channels.length;
		return (channels[turn] as Channel).call(method, body, limitMs);
	};
	return {
		put: (key, value) => call("Put", putRequest(Buffer.from(key), value)),
		get: (key) => call("Range", rangeRequest(Buffer.from(key))),
		async removeBelow(prefix) {
			const request = deleteBelowRequest(Buffer.from(prefix));
			return deletedIn(await call("DeleteRange", request, removalTimeoutMs));
		},
		kindOf: (error) => (error instanceof EtcdError ? error.kind : "unexpected"),
		async close() {
			for (const channel of channels) channel.close();
		},
	};
}

class EtcdError extends Error {
	readonly kind: string;

	constructor(kind: string, message: string) {
		super(message);
		this.kind = kind;
	}
}

/** One connection to one server; opened anew after it broke. */
class Channel {
	readonly #endpoint: string;
	#session: ClientHttp2Session | null = null;
	/** Sessions that reached the server. */
	readonly #reached = new WeakSet<ClientHttp2Session>();

	constructor(endpoint: string) {
		this.#endpoint = endpoint;
	}

	/** The bytes of the answer's message. */
	call(method: string, body: Uint8Array, limitMs: number): Promise<Buffer> {
		return new Promise((resolve, reject) => {
			const session = this.#open();
			const stream = session.request({
				":method": "POST",
				":path": `/etcdserverpb.KV/${method}`,
				"content-type": "application/grpc",
				te: "trailers",
			});
			const timer = setTimeout(() => {
				reject(new EtcdError("timeout", `no answer in ${limitMs} ms`));
				stream.close(constants.NGHTTP2_CANCEL);
			}, limitMs);
			answerOf(stream, (answer) => {
				clearTimeout(timer);
				if (Buffer.isBuffer(answer)) resolve(answer.subarray(grpcHeaderBytes));
				else if (answer instanceof EtcdError) reject(answer);
				else {
					const isLost = this.#reached.has(session);
					const kind = isLost ? "connection-lost" : "unreachable";
					reject(new EtcdError(kind, answer.message));
				}
			});
			stream.end(grpcFrame(body));
		});
	}

	close(): void {
		this.#session?.destroy();
	}

	#open(): ClientHttp2Session {
		if (this.#session !== null && !this.#session.closed) return this.#session;
		const session = connect(`http://${this.#endpoint}`, { maxSessionMemory });
		const forget = () => {
			if (this.#session === session) this.#session = null;
		};
		// Every stream tells of it; unheard, it would end the thread.
		session.on("connect", () => this.#reached.add(session));
		session.on("error", forget);
		session.on("close", forget);
		session.on("goaway", forget);
		this.#session = session;
		return session;
	}
}

/** Calls back once: with the answer, with what the server said instead, or with what befell the stream. */
function answerOf(
	stream: ClientHttp2Stream,
	done: (answer: Buffer | Error) => void,
): void {
	const chunks: Buffer[] = [];
	let status: string | undefined;
	let said = "";
	let broken = new Error("the stream ended without an answer");
	const look = (headers: IncomingHttpHeaders) => {
		status ??= headers["grpc-status"] as string | undefined;
		said ||= decoded(String(headers["grpc-message"] ?? ""));
	};
	stream.on("response", look);
	stream.on("trailers", look);
	stream.on("data", (chunk: Buffer) => chunks.push(chunk));
	stream.on("error", (error) => {
		broken = error;
	});
	stream.once("close", () => {
		if (status === undefined) done(broken);
		else if (status === "0") done(Buffer.concat(chunks));
		else done(new EtcdError(codes[status] ?? `status ${status}`, said));
	});
}

/** gRPC percent-encodes its messages; one that is not so is shown as it is. */
function decoded(message: string): string {
	try {
		return decodeURIComponent(message);
	} catch {
		return message;
	}
}

/** The codes of gRPC that a server under load answers with. */
const codes: Readonly<Record<string, string>> = {
	1: "cancelled",
	2: "unknown",
	3: "invalid",
	4: "timeout",
	8: "overloaded",
	12: "unsupported",
	14: "unavailable",
	16: "unauthenticated",
};
