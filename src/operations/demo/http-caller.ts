import { Agent, request } from "node:http";
import { request as requestOverTls, Agent as TlsAgent } from "node:https";

/** Whom it believes, asked at each new connection: the authority may be replaced meanwhile. */
export type TlsSource = () => { readonly ca: string };

/** One client of the HTTP API: a keep-alive connection of its own, one request at a time, and no retries. */
export interface HttpCaller {
	/** Posts JSON and reads the JSON answer. Throws for every status but 200, and for a broken connection. */
	post(path: string, body: unknown): Promise<Record<string, unknown>>;
	close(): void;
}

/** `address` is host:port; without `tls` it speaks plain text. */
export function httpCaller(
	address: string,
	timeoutMs: number,
	tls?: TlsSource,
): HttpCaller {
	const [host, port] = address.split(/:(?=\d+$)/) as [string, string];
	const one = { keepAlive: true, maxSockets: 1 };
	const agent =
		tls === undefined
			? new Agent(one)
			: new TlsAgent({ ...one, maxCachedSessions: 0 });
	return {
		post: (path, body) =>
			new Promise((resolve, reject) => {
				const payload = JSON.stringify(body);
				const send = tls === undefined ? request : requestOverTls;
				const call = send({
					...tls?.(),
					agent,
					host,
					port,
					path,
					method: "POST",
					timeout: timeoutMs,
					headers: {
						"content-type": "application/json",
						"content-length": Buffer.byteLength(payload),
					},
				});
				call.on("response", (response) => {
					const chunks: Buffer[] = [];
					response.on("data", (chunk) => chunks.push(chunk));
					response.on("error", reject);
					response.on("end", () => {
						const text = Buffer.concat(chunks).toString();
						if (response.statusCode === 200) resolve(JSON.parse(text));
						else reject(new Error(`${response.statusCode}: ${text}`));
					});
				});
				call.on("timeout", () =>
					call.destroy(new Error(`no answer within ${timeoutMs} ms`)),
				);
				call.on("error", reject);
				call.end(payload);
			}),
		close: () => agent.destroy(),
	};
}
