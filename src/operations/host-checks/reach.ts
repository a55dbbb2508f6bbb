import type { Inventory } from "../../config/inventory.js";
import type { OperationContext } from "../context.js";
import type { Finding } from "./finding.js";
import { type PortName, partsOf, portsOf } from "./hosts.js";
import {
	parseReach,
	type Reached,
	reachWords,
	type Target,
} from "./reach-program.js";

/** A port of a node that another machine needs. */
interface Way {
	readonly from: string;
	readonly to: string;
	readonly node: string;
	readonly name: PortName;
	readonly address: string;
}

/** For all to begin, on a busy machine, too, and for packets that were lost to be sent again. Only silence takes as long. */
const seconds = 10;
const slackMs = 15_000;

/** The machine that raftctl runs on, which calls the nodes, too. */
const here = "local";

/**
 * Who needs to reach what: nodes each other's peer port, balancers what they pass on and check, and raftctl admin and client
 * ports. `among` are the hosts that can be asked. Pure.
 */
export function waysAmong(
	{ nodes, balancer }: Pick<Inventory, "nodes" | "balancer">,
	among: readonly string[],
): readonly Way[] {
	const fronts =
		balancer === null || balancer.kind === "command"
			? []
			: "hosts" in balancer
				? balancer.hosts
				: [balancer.host];
	return [...new Set([here, ...among])].flatMap((from) => {
		const needed = new Set<PortName>([
			...(nodes.some(({ host }) => host === from) ? (["peer"] as const) : []),
			...(fronts.includes(from) ? (["client", "admin", "agent"] as const) : []),
			...(from === here ? (["client", "admin"] as const) : []),
		]);
		return nodes
			.filter(({ host }) => host !== from && among.includes(host))
			.flatMap((node) =>
				portsOf(node)
					.filter(({ name }) => needed.has(name))
					.map(({ name, address }) => ({
						...{ from, to: node.host, node: node.id, name, address },
					})),
			);
	});
}

/** What a machine said that tried; null for one that could not. */
export type Tried = ReturnType<typeof parseReach> | null;

/**
 * Tries all ways at once: each host listens on the ports of its nodes where nobody does yet, and connects to the others'.
 * Those without perl are left out.
 */
export async function tryWays(
	context: OperationContext,
	ways: readonly Way[],
	able: readonly string[],
): Promise<ReadonlyMap<string, Tried>> {
	const { machines, signal, inventory } = context;
	const callers = (address: string) =>
		ways.filter((way) => way.address === address && able.includes(way.from))
			.length;
	const tried = able.map(async (name): Promise<[string, Tried]> => {
		const listen = inventory.nodes
			.filter(({ host }) => host === name)
			.flatMap(portsOf)
			.map(({ address }) => ({
				...partsOf(address),
				callers: callers(address),
			}))
			.filter((target) => target.callers > 0);
		const connect = ways
			.filter(({ from }) => from === name)
			.map(({ address }): Target => partsOf(address));
		if (listen.length + connect.length === 0) return [name, null];
		try {
			const host = await machines.host(name, "login");
			const { exitCode, stdout } = await host.run(
				reachWords({ listen, connect, seconds }),
				{ timeoutMs: seconds * 1000 + slackMs, signal },
			);
			return [name, exitCode === 0 ? parseReach(stdout) : null];
		} catch {
			signal.throwIfAborted();
			return [name, null];
		}
	});
	return new Map(await Promise.all(tried));
}

/** What stands in the way, one finding for all ports of a host that others fail at in one manner. Pure. */
export function reachFindings(
	ways: readonly Way[],
	tried: ReadonlyMap<string, Tried>,
): Finding[] {
	const findings: Finding[] = [];
	const groups = new Map<string, { how: Reached; failing: Way[] }>();
	for (const way of ways) {
		const how = tried.get(way.from)?.reached.get(keyOf(way.address));
		if (how === undefined || how === "open") continue;
		// Where nobody could listen, being refused says that packets get there and back.
		if (how === "refused" && !isHeard(tried.get(way.to), way.address)) continue;
		const key = `${way.to} ${how}`;
		const group = groups.get(key) ?? { how, failing: [] };
		group.failing.push(way);
		groups.set(key, group);
	}
	for (const { how, failing } of groups.values())
		findings.push(unreached(how, failing));
	for (const [host, said] of tried)
		for (const [key, why] of said?.unheard ?? [])
			if (why === "absent")
				findings.push({
					...{ severity: "problem", host, check: "network" },
					what: `nothing can listen at ${key} there: it has no such address`,
					remedy: `correct the address of ${host} in the cluster file; on ${host}: ip address`,
				});
	return findings;
}

function isHeard(said: Tried | undefined, address: string): boolean {
	return said != null && !said.unheard.has(keyOf(address));
}

const manner: Readonly<Record<Exclude<Reached, "open">, string>> = {
	silent: "nothing comes back from",
	refused: "somebody listens there, and it is refused on the way to",
	failed: "nobody knows the name, or there is no way, of",
};

function unreached(how: Reached, failing: readonly Way[]): Finding {
	const [first] = failing;
	const to = first?.to ?? "";
	const froms = [...new Set(failing.map(({ from }) => from))].map((from) =>
		from === here ? "this machine" : from,
	);
	const ports = [
		...new Set(
			failing.map(
				({ node, name, address }) => `${address} (${name} of ${node})`,
			),
		),
	];
	const { host, port } = partsOf(first?.address ?? "");
	return {
		...{ severity: "problem", host: to, check: "network" },
		what: `it is not reached from ${froms.join(", ")}: ${manner[how as keyof typeof manner]} ${ports.join(", ")}`,
		remedy: `open these ports in the firewall of ${to} and on the way; look from ${froms[0]}: nc -vz ${host} ${port}`,
	};
}

function keyOf(address: string): string {
	const { host, port } = partsOf(address);
	return `${host}:${port}`;
}
