import { setTimeout as sleep } from "node:timers/promises";
import type { HaproxyBalancerEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { Balancer } from "../balancer.js";
import { onEveryHost } from "../on-every-host.js";
import { oneView } from "../one-view.js";
import { reloadOn } from "../reload.js";
import { writeSection } from "./config-file.js";
import { leaseKey, sectionNames } from "./names.js";
import {
	localSocket,
	type RuntimeSocket,
	remoteLimitMs,
	remoteSocket,
	tcpSocket,
} from "./runtime-socket.js";
import { backendsIn } from "./stat-lines.js";
import { reactionMsOf } from "./timing.js";

export type OpenHost = (name: string) => Promise<Host>;

/** HAProxy on its hosts as an operation sees it: asked and steered at its runtime socket. */
export function haproxyBalancer(
	entry: HaproxyBalancerEntry,
	{
		cluster,
		openHost,
	}: { readonly cluster: string; readonly openHost: OpenHost },
): Balancer {
	const socketOf = (host: string) => openSocket(entry, host, openHost);
	return {
		kind: "haproxy",
		reactionMs: reactionMsOf(entry),
		...(entry.tcp === null && entry.hosts.some((host) => host !== "local")
			? { answerLimitMs: remoteLimitMs }
			: {}),
		async backends(signal) {
			const views = await onEveryHost(entry.hosts, async (host) => {
				const answer = await (await socketOf(host)).ask("show stat", signal);
				return { host, backends: backendsIn(answer, cluster) };
			});
			return oneView(views);
		},
		// The lease is HAProxy's own, and not longer than its table has it.
		async prefer(nodes, _leaseMs, signal) {
			await onEveryHost(entry.hosts, async (host) => {
				await steer(await socketOf(host), { cluster, nodes, signal });
			});
		},
		async configure(inventory, signal) {
			await onEveryHost(entry.hosts, async (host) => {
				await writeSection(await openHost(host), entry, { inventory, signal });
			});
		},
		async reload(signal) {
			// One after the other: when one does not come back, the others still serve.
			for (const host of entry.hosts)
				await reloadHaproxy(entry, { host, openHost, signal });
		},
		close: async () => undefined,
	};
}

/** HAProxy's socket on one of its hosts, by whichever way the cluster file names. */
export async function openSocket(
	entry: HaproxyBalancerEntry,
	host: string,
	openHost: OpenHost,
): Promise<RuntimeSocket> {
	const address = entry.tcp?.[entry.hosts.indexOf(host)];
	if (address !== undefined) return tcpSocket(host, address);
	if (host === "local") return localSocket(entry.socket);
	return remoteSocket(await openHost(host), entry.socket);
}

interface Steering {
	readonly cluster: string;
	readonly nodes: readonly string[];
	readonly signal: AbortSignal | undefined;
}

async function steer(
	socket: RuntimeSocket,
	{ cluster, nodes, signal }: Steering,
): Promise<void> {
	const { moved, lease } = sectionNames(cluster);
	if (nodes.length === 0) {
		const answer = await socket.ask(
			`clear table ${lease} key ${leaseKey}`,
			signal,
		);
		// Expired already: there is nothing left to end.
		if (!answer.includes("not found")) requireDone(socket.host, answer);
		return;
	}
	const known = backendsIn(await socket.ask("show stat", signal), cluster);
	const unknown = nodes.filter((id) => !known.some(({ node }) => node === id));
	if (unknown.length > 0)
		throw new OperatorError(
			"refused",
			`HAProxy on ${socket.host} does not know ${unknown.join(", ")}`,
			{ node: socket.host, next: "raftctl balancer apply" },
		);
	// Weights first: the lease sends connections to whoever has one.
	const weights = known.map(
		({ node }) =>
			`set server ${moved}/${node} weight ${nodes.includes(node) ? 100 : 0}`,
	);
	const commands = [...weights, `set table ${lease} key ${leaseKey}`];
	requireDone(socket.host, await socket.ask(commands.join("; "), signal));
}

/** What changes something answers with nothing, or else with why not. */
function requireDone(host: string, answer: string): void {
	const said = answer.trim();
	if (said === "") return;
	const [first = ""] = said.split("\n");
	if (/permission denied/i.test(said))
		throw new OperatorError(
			"refused",
			`HAProxy's runtime socket on ${host} lets raftctl look and nothing else`,
			{
				node: host,
				state: "nothing was changed",
				next: 'write "level admin" behind the stats socket in HAProxy\'s global section',
			},
		);
	throw new OperatorError("refused", `HAProxy on ${host} says: ${first}`, {
		node: host,
		next: "raftctl balancer check",
	});
}

const newWorkerLimitMs = 15_000;
const pollMs = 100;

/** Has HAProxy read its configuration on one host, and waits for the new worker: only it knows the new nodes. */
export async function reloadHaproxy(
	entry: HaproxyBalancerEntry,
	wish: {
		readonly host: string;
		readonly openHost: OpenHost;
		readonly signal: AbortSignal | undefined;
	},
): Promise<void> {
	const { host, openHost, signal } = wish;
	const socket = await openSocket(entry, host, openHost);
	const before = await workerOf(socket, signal);
	await reloadOn(await openHost(host), {
		argv: entry.reload,
		unit: "haproxy",
		signal,
	});
	const deadline = performance.now() + newWorkerLimitMs;
	for (;;) {
		const now = await workerOf(socket, signal).catch(() => before);
		if (now !== before) return;
		if (performance.now() > deadline)
			throw new OperatorError(
				"timeout",
				`HAProxy on ${host} did not take its new configuration within ${newWorkerLimitMs / 1000} s`,
				{
					node: host,
					state: "it goes on with the old one",
					next: "look at its log: journalctl -u haproxy",
				},
			);
		await sleep(pollMs);
		signal?.throwIfAborted();
	}
}

async function workerOf(
	socket: RuntimeSocket,
	signal: AbortSignal | undefined,
): Promise<string> {
	const answer = await socket.ask("show info", signal);
	return /^Pid: (\d+)$/m.exec(answer)?.[1] ?? "";
}
