import net, { type Socket } from "node:net";
import type { NodeState } from "../health.js";
import { listen } from "../listen.js";

/**
 * HAProxy's agent-check: whoever connects is told one line, and the connection ends. "up ready" takes back an earlier
 * "drain" and an earlier "down" (HAProxy keeps the two apart), "drain" lets what is connected go on, and "down" names
 * the reason on the statistics page.
 */
export async function startAgentCheck(
	options: AgentCheckOptions,
): Promise<AgentCheck> {
	const sockets = new Set<Socket>();
	const server = net.createServer((socket) => {
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		socket.on("error", () => socket.destroy());
		// Reading what the other side says lets its FIN arrive, and the socket go.
		socket.resume();
		socket.setTimeout(lingerMs, () => socket.destroy());
		socket.end(`${agentLine(options.verdict())}\n`);
	});
	server.maxConnections = connectionsMax;
	await listen(server, options.address, "listen.agent");
	return {
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				for (const socket of sockets) socket.destroy();
			}),
	};
}

interface AgentCheckOptions {
	/** host:port */
	readonly address: string;
	readonly verdict: () => AgentVerdict;
}

export interface AgentVerdict {
	readonly state: NodeState;
	/** The names of the checks that fail. */
	readonly failed: readonly string[];
}

export interface AgentCheck {
	close(): Promise<void>;
}

const connectionsMax = 64;
const lingerMs = 2_000;

function agentLine({ state, failed }: AgentVerdict): string {
	if (state === "ready") return "up ready";
	if (state === "draining") return "up drain";
	return `down #${failed.join(", ")}`;
}
