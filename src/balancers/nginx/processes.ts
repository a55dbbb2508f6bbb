import { isIP } from "node:net";
import type { NodeEntry } from "../../config/inventory.js";
import { splitAddress } from "../address.js";

/** What runs of nginx on a host. */
export interface Running {
	/** Process ids of the workers that take new connections. */
	readonly workers: readonly number[];
	/** Those of before a reload, which end with their last connection. */
	readonly leaving: readonly number[];
	/** One for each established connection of nginx's, as ss has its other end. */
	readonly peers: readonly string[];
}

/** Prints what `parseRunning` reads; $1 is the pid file. Nothing when nginx does not run. */
export const lookScript = `
pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ] || exit 0
echo running
ps -o pid=,args= --ppid "$pid" | sed 's/^ */worker /'
ss -Htnp state established 2>/dev/null | sed 's/^/connection /'
`;

/** Null when nginx does not run. */
export function parseRunning(output: string): Running | null {
	const lines = output.split("\n");
	if (lines[0] !== "running") return null;
	const workers = lines.flatMap((line) => {
		const found = /^worker (\d+) nginx: worker process(.*)$/.exec(line);
		return found === null
			? []
			: [{ pid: Number(found[1]), leaves: found[2]?.includes("shutting") }];
	});
	const peers = lines.flatMap((line) => {
		const [word, , , , peer = "", owner = '"nginx"'] = line.split(/\s+/);
		// Without root ss does not tell whose they are; then all that go to a node count.
		return word === "connection" && owner.includes('"nginx"') ? [peer] : [];
	});
	return {
		workers: workers.filter(({ leaves }) => !leaves).map(({ pid }) => pid),
		leaving: workers.filter(({ leaves }) => leaves).map(({ pid }) => pid),
		peers,
	};
}

/** How many of these connections go to the node's client port. */
export function connectionsTo(
	{ client }: Pick<NodeEntry, "client">,
	peers: readonly string[],
): number {
	const { host, port } = splitAddress(client);
	return peers.filter((peer) => {
		const there = splitAddress(peer);
		if (there.port !== port) return false;
		// ss prints numbers: a name is told apart by its port alone.
		return isIP(host) === 0 || there.host.replace(/^::ffff:/, "") === host;
	}).length;
}
