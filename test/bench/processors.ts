import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

/**
 * Gives the load a processor of its own and the nodes the others, as clients have machines of their own: where senders
 * share processors with the nodes, the time to send three times as much is taken from those that are to do it. Says
 * what it did; where there is one processor, nothing.
 */
export function keepApart(load: number, nodes: readonly number[]): string {
	const count = availableParallelism();
	if (count < 2) return "load and nodes share one processor";
	const others = count === 2 ? "0" : `0-${count - 2}`;
	pin(load, `${count - 1}`);
	for (const node of nodes) pin(node, others);
	return `nodes on ${count - 1} of ${count} processors, the load on the last`;
}

/** All threads that there are, and those that they start. */
function pin(pid: number, processors: string): void {
	execFileSync("taskset", ["-a", "-c", "-p", processors, String(pid)]);
}
