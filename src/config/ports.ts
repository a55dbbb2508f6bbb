/** Each node has a block of ten ports above the base; the block below the first node's is the balancer's. */
const portsPerNode = 10;

/** Above this the last node's ports would leave the range. */
export const nodeNumberMax = 99;

/**
 * The addresses of a node that gives none, by the number at the end of its id: moving a line of the cluster file, or
 * taking one out, must not move the ports of other nodes. Null when the id ends in no number from 1 to 99.
 */
export function nodeAddresses(
	id: string,
	portBase: number,
): { peer: string; client: string; admin: string } | null {
	const number = Number(/(\d+)$/.exec(id)?.[1] ?? 0);
	if (number < 1 || number > nodeNumberMax) return null;
	return blockAddresses(number, portBase);
}

/** The block of ports with this number, from 1 on. */
export function blockAddresses(
	number: number,
	portBase: number,
): { peer: string; client: string; admin: string } {
	const first = portBase + portsPerNode * number;
	return {
		peer: loopback(first),
		client: loopback(first + 1),
		admin: loopback(first + 2),
	};
}

export function balancerAddresses(portBase: number): {
	listen: string;
	admin: string;
} {
	return { listen: loopback(portBase), admin: loopback(portBase + 1) };
}

function loopback(port: number): string {
	return `127.0.0.1:${port}`;
}
