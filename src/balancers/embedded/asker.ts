import { readFileSync, statSync } from "node:fs";
import {
	Agent,
	type ClientRequest,
	get,
	type IncomingMessage,
} from "node:http";
import type * as https from "node:https";
import type { PeerCertificate } from "node:tls";

/** Who is believed when a node is asked over TLS. */
export interface Trust {
	/** The file of authorities, in PEM, on this machine; read again when it has changed. */
	readonly ca: string;
	readonly clusterId: string;
}

/** How one node is asked, over a connection that is kept. */
export interface Asker {
	/** A request that is sent. Rejects when it cannot be made at all. */
	get(
		options: https.RequestOptions,
		onAnswer: (answer: IncomingMessage) => void,
	): Promise<ClientRequest>;
	close(): void;
}

/** Over TLS to that node and no other where `trust` is given; else in plain text. */
export function askerOf(node: string, trust: Trust | null): Asker {
	return trust === null ? plainAsker() : secureAsker(node, trust);
}

function plainAsker(): Asker {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	return {
		get: async (options, onAnswer) => get({ ...options, agent }, onAnswer),
		close: () => agent.destroy(),
	};
}

/** TLS is loaded where it is needed. */
function secureAsker(node: string, trust: Trust): Asker {
	const authorities = fileReader(trust.ca);
	let agent: https.Agent | null = null;
	return {
		async get(options, onAnswer) {
			const https = await import("node:https");
			agent ??= new https.Agent({
				...{ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 },
			});
			return https.get(
				{
					...{ ...options, agent, ca: authorities(), servername: node },
					checkServerIdentity: (_host, shown) => strangerAt(shown, trust, node),
				},
				onAnswer,
			);
		},
		close: () => agent?.destroy(),
	};
}

function fileReader(path: string): () => string {
	let seen = "";
	let text = "";
	return () => {
		const { mtimeMs, size, ino } = statSync(path);
		const now = `${mtimeMs} ${size} ${ino}`;
		if (now !== seen) text = readFileSync(path, "utf8");
		seen = now;
		return text;
	};
}

/** Another node that answers at the address of this one would get its connections. */
function strangerAt(
	{ subjectaltname = "" }: PeerCertificate,
	{ clusterId }: Trust,
	node: string,
): Error | undefined {
	const [cluster, id] = [clusterId, node].map(encodeURIComponent);
	const isNode = subjectaltname
		.split(", ")
		.includes(`URI:raftd://${cluster}/node/${id}`);
	return isNode
		? undefined
		: new Error(`the certificate that is shown there is not that of ${node}`);
}
