/** Each node has a block of ten ports above the base; the block below the first node's is the balancer's. */
const portsPerNode = 10;

/** Above this the last node's ports would leave the range. */
export const nodeNumberMax = 99;

/** What a host is called in an address where it is this machine. */
export const loopbackAddress = "127.0.0.1";

/**
 * The addresses of a node that gives none, by the number at the end of its id: moving a line of the cluster file, or
 * taking one out, must not move the ports of other nodes. Null when the id ends in no number from 1 to 99.
 */
export function nodeAddresses(
	id: string,
	portBase: number,
	hostAddress: string,
): { peer: string; client: string; admin: string } | null {
	const number = Number(/(\d+)$/.exec(id)?.[1] ?? 0);
	if (number < 1 || number > nodeNumberMax) return null;
	return blockAddresses(number, portBase, hostAddress);
}

/** The block of ports with this number, from 1 on. */
export function blockAddresses(
	number: number,
	portBase: number,
	hostAddress: string,
): { peer: string; client: string; admin: string } {
	const first = portBase + portsPerNode * number;
	const host = hostAddress.includes(":") ? `[${hostAddress}]` : hostAddress;
	return {
		peer: `${host}:${first}`,
		client: `${host}:${first + 1}`,
		admin: `${host}:${first + 2}`,
	};
}

/** The agent-check port of a node behind HAProxy that gives none: the last of its block. */
export function agentBeside({
	peer,
	client,
}: {
	readonly peer: string;
	readonly client: string;
}): string | null {
	if (peer === "" || client === "") return null;
	const port = Number(peer.slice(peer.lastIndexOf(":") + 1)) + 3;
	return `${client.slice(0, client.lastIndexOf(":"))}:${port}`;
}

export function balancerAddresses(portBase: number): {
	listen: string;
	admin: string;
} {
	return { listen: loopback(portBase), admin: loopback(portBase + 1) };
}

function loopback(port: number): string {
	return `${loopbackAddress}:${port}`;
}
