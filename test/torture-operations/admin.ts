import { readFileSync } from "node:fs";
import { request } from "node:http";
import { request as requestOverTls } from "node:https";
import { join } from "node:path";
import type { Place } from "./ground.js";

/** What is shown and believed where nodes speak TLS. */
export interface Material {
	readonly ca: string;
	readonly cert: string;
	readonly key: string;
}

/** As it lies there now: a rotation replaces it. */
export function materialIn(directory: string): Material {
	const read = (name: string) => readFileSync(join(directory, name), "utf8");
	const identity = read("operators/admin.pem");
	return { ca: read("ca.crt"), cert: identity, key: identity };
}

export interface AdminAnswer {
	readonly status: number;
	// biome-ignore lint/suspicious/noExplicitAny: callers read what they look for
	readonly body: any;
}

/** One call to a node's admin port, over a connection of its own. */
export function askAdmin(
	{ admin, tls }: Pick<Place, "admin" | "tls">,
	method: string,
	{ body = {}, limitMs }: { readonly body?: object; readonly limitMs: number },
): Promise<AdminAnswer> {
	const [host = "", port = ""] = admin.split(":");
	const options = {
		...{ host, port, method: "POST", agent: false },
		path: `/raftctl.admin.v1.AdminService/${method}`,
		headers: { "content-type": "application/json" },
		signal: AbortSignal.timeout(limitMs),
	};
	return new Promise((resolve, reject) => {
		const call =
			tls === undefined
				? request(options)
				: requestOverTls({
						...{ ...options, ...tls() },
						// Nodes go by the identity in the certificate, which the torture has no need to know.
						checkServerIdentity: () => undefined,
					});
		call.on("error", reject);
		call.on("response", (response) => {
			const chunks: Buffer[] = [];
			response.on("error", reject);
			response.on("data", (chunk) => chunks.push(chunk));
			response.on("end", () => {
				const text = Buffer.concat(chunks).toString();
				try {
					resolve({
						status: response.statusCode ?? 0,
						body: JSON.parse(text),
					});
				} catch (error) {
					reject(error);
				}
			});
		});
		call.end(JSON.stringify(body));
	});
}
