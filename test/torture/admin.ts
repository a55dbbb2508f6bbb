import { request } from "node:http";

/** What a node says of itself, as far as it is used here. */
export interface NodeStatus {
	readonly nodeId: string;
	readonly role: string;
	readonly term: number;
	readonly leaderId: string;
	readonly appliedIndex: number;
	readonly commitIndex: number;
	readonly configurationIndex: number;
	/** Of its newest snapshot; 0 for none. */
	readonly snapshotIndex: number;
	readonly members: readonly { readonly id: string; readonly role: string }[];
	readonly incarnation: string;
}

/** The node was reached, and says no. */
export class AdminRefusal extends Error {
	override readonly name = "AdminRefusal";
}

const timeoutMs = 5_000;
const statusTimeoutMs = 500;

/** Null when it does not say, for whatever reason. */
export async function statusOf(address: string): Promise<NodeStatus | null> {
	try {
		// biome-ignore lint/suspicious/noExplicitAny: a test reads what it needs
		const said: any = await adminCall(
			address,
			"GetStatus",
			{},
			statusTimeoutMs,
		);
		return {
			nodeId: said.nodeId,
			role: said.role,
			term: Number(said.term ?? 0),
			leaderId: said.leaderId ?? "",
			appliedIndex: Number(said.appliedIndex ?? 0),
			commitIndex: Number(said.commitIndex ?? 0),
			configurationIndex: Number(said.configuration?.index ?? 0),
			snapshotIndex: Number(said.snapshotIndex ?? 0),
			members: said.configuration?.members ?? [],
			incarnation: said.incarnation,
		};
	} catch {
		return null;
	}
}

/** Calls the admin RPC as JSON. Rejects with AdminRefusal for its answer, else with what went wrong on the way. */
export function adminCall(
	address: string,
	method: string,
	message: object = {},
	limitMs = timeoutMs,
): Promise<object> {
	const [host, port] = address.split(":");
	return new Promise((resolve, reject) => {
		const outgoing = request(
			{
				host,
				port,
				method: "POST",
				path: `/raftctl.admin.v1.AdminService/${method}`,
				headers: { "content-type": "application/json" },
				// The deadline is for the whole call: a frozen node takes connections, too.
				signal: AbortSignal.timeout(limitMs),
			},
			(response) => {
				const chunks: Buffer[] = [];
				response.on("data", (chunk) => chunks.push(chunk));
				response.on("error", reject);
				response.on("end", () => {
					const text = Buffer.concat(chunks).toString();
					if (response.statusCode === 200) resolve(JSON.parse(text));
					else reject(new AdminRefusal(`${method}: ${text}`));
				});
			},
		);
		outgoing.on("error", reject);
		outgoing.end(JSON.stringify(message));
	});
}
