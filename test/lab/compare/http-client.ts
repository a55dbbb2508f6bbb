import { Agent, request } from "node:http";

export interface Question {
	readonly method: "GET" | "POST";
	readonly path: string;
	readonly body?: string;
}

export interface HttpClient {
	/** The answer's text. Throws for every status but 200, for a broken connection, and when time is over. */
	ask(question: Question): Promise<string>;
	close(): void;
}

export interface HttpClientOptions {
	/** host:port */
	readonly address: string;
	/** So many are kept; further requests wait for one of them. */
	readonly connections: number;
	readonly timeoutMs: number;
}

/** What was sent is never sent again: what fails here has failed for an application. */
export function httpClient(options: HttpClientOptions): HttpClient {
	const { address, connections, timeoutMs } = options;
	const [host, port] = address.split(/:(?=\d+$)/);
	const agent = new Agent({ keepAlive: true, maxSockets: connections });
	return {
		ask: ({ method, path, body }) =>
			new Promise((resolve, reject) => {
				const headers =
					body === undefined
						? {}
						: {
								"content-type": "application/json",
								"content-length": Buffer.byteLength(body),
							};
				const call = request({ agent, host, port, method, path, headers });
				const late = () =>
					call.destroy(new Error(`no answer within ${timeoutMs} ms`));
				const timer = setTimeout(late, timeoutMs);
				call.once("close", () => clearTimeout(timer));
				call.once("error", reject);
				call.once("response", (response) => {
					const chunks: Buffer[] = [];
					response.on("data", (chunk: Buffer) => chunks.push(chunk));
					response.once("error", reject);
					response.once("end", () => {
						const text = Buffer.concat(chunks).toString();
						if (response.statusCode === 200) resolve(text);
						else reject(new Error(`${response.statusCode}: ${text}`));
					});
				});
				call.end(body);
			}),
		close: () => agent.destroy(),
	};
}
