import { randomUUID } from "node:crypto";
import type { Inventory, NginxBalancerEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { BackendStatus, Balancer } from "../balancer.js";
import { onEveryHost } from "../on-every-host.js";
import { oneView } from "../one-view.js";
import {
	lookLimitMs,
	notRunning,
	reloadNginx,
	running,
	steeringOn,
	unit,
	writeOn,
	writePlain,
} from "./installed.js";
import { guard, type Lease, unguard } from "./lease.js";
import { connectionsTo } from "./processes.js";
import { noSteering, renderFile, type Steering } from "./render.js";

type OpenHost = (name: string) => Promise<Host>;

/** A reload takes hold in the time that a worker needs to start. */
export const nginxReactionMs = 2_000;

/** nginx on its hosts as an operation sees it. It does not ask the nodes: what they say is told to it, by its file. */
export function nginxBalancer(
	entry: NginxBalancerEntry,
	{
		inventory,
		openHost,
	}: { readonly inventory: Inventory; readonly openHost: OpenHost },
): Balancer {
	const known = new KnownNginx(entry, inventory, openHost);
	return {
		kind: "nginx",
		reactionMs: nginxReactionMs,
		answerLimitMs: lookLimitMs,
		backends: (signal) => known.backends(signal),
		prefer: (nodes, leaseMs, signal) =>
			known.steer(
				({ withdrawn }) => ({ withdrawn, preferred: nodes }),
				leaseMs,
				signal,
			),
		told: {
			withdraw: (node, leaseMs, signal) =>
				known.steer(
					({ withdrawn, preferred }) => ({
						withdrawn: [...new Set([...withdrawn, node])].sort(),
						preferred,
					}),
					leaseMs,
					signal,
				),
			admit: (node, signal) =>
				known.steer(
					({ withdrawn, preferred }) => ({
						withdrawn: withdrawn.filter((id) => id !== node),
						preferred,
					}),
					admittedLeaseMs,
					signal,
				),
		},
		async configure(next, signal) {
			known.inventory = next;
			await onEveryHost(entry.hosts, async (name) => {
				await writePlain(await openHost(name), entry, {
					inventory: next,
					signal,
				});
			});
		},
		async reload(signal) {
			for (const name of entry.hosts)
				await reloadNginx(await openHost(name), entry, signal);
		},
		close: async () => undefined,
	};
}

/** For a preference that is held still; its holder renews it sooner. */
const admittedLeaseMs = 15_000;

class KnownNginx {
	inventory: Inventory;
	readonly #entry: NginxBalancerEntry;
	readonly #openHost: OpenHost;
	/** One change of the file after the other: each reads it, and writes it whole. */
	#turn: Promise<unknown> = Promise.resolve();

	constructor(
		entry: NginxBalancerEntry,
		inventory: Inventory,
		openHost: OpenHost,
	) {
		this.#entry = entry;
		this.inventory = inventory;
		this.#openHost = openHost;
	}

	async backends(signal?: AbortSignal): Promise<readonly BackendStatus[]> {
		const views = await onEveryHost(this.#entry.hosts, async (name) => {
			const host = await this.#openHost(name);
			return { host: name, backends: await this.#viewOf(host, signal) };
		});
		return oneView(views);
	}

	async #viewOf(
		host: Host,
		signal: AbortSignal | undefined,
	): Promise<readonly BackendStatus[]> {
		const processes = await running(host, this.#entry, signal);
		if (processes === null) throw notRunning(host, this.#entry);
		const steering = await steeringOn(host, this.#entry, this.inventory).catch(
			// What lies there may be of other nodes: then it is known to have none of these.
			(error: unknown) => {
				if (error instanceof OperatorError && error.kind === "refused")
					return null;
				throw error;
			},
		);
		if (steering === null) return [];
		return this.inventory.nodes.map((node) => {
			const out = steering.withdrawn.includes(node.id);
			return {
				node: node.id,
				admitting: !out,
				state: out ? "drain" : "up",
				connections: connectionsTo(node, processes.peers),
				reason: out ? "raftctl has it down in nginx's file" : "",
			};
		});
	}

	/** Changes the file where that changes anything, and renews the guard in any case. */
	steer(
		next: (now: Steering) => Steering,
		leaseMs: number,
		signal: AbortSignal | undefined,
	): Promise<void> {
		const change = async () => {
			signal?.throwIfAborted();
			await onEveryHost(this.#entry.hosts, async (name) => {
				const host = await this.#openHost(name);
				await this.#steerOn(host, { next, leaseMs, signal });
			});
		};
		const done = this.#turn.then(change);
		this.#turn = done.catch(() => undefined);
		return done;
	}

	async #steerOn(
		host: Host,
		wish: {
			readonly next: (now: Steering) => Steering;
			readonly leaseMs: number;
			readonly signal: AbortSignal | undefined;
		},
	): Promise<void> {
		const { inventory } = this;
		const entry = this.#entry;
		const now = await steeringOn(host, entry, inventory);
		const next = wish.next(now);
		const lease = this.#lease();
		const steered = next.withdrawn.length + next.preferred.length > 0;
		// Before the change: should this process end in between, there is somebody to take it back.
		if (steered)
			await guard(host, lease, {
				token: randomUUID(),
				leaseMs: wish.leaseMs,
			});
		const text = renderFile(inventory, entry, next);
		if (text !== renderFile(inventory, entry, now)) {
			const written = await writeOn(host, entry, {
				text,
				signal: wish.signal,
			});
			await reloadNginx(host, entry, wish.signal).catch(async (error) => {
				await written.undo();
				throw error;
			});
		}
		if (!steered) await unguard(host, lease.cluster);
	}

	#lease(): Lease {
		const { config, reload } = this.#entry;
		return {
			config,
			plain: renderFile(this.inventory, this.#entry, noSteering),
			reload: reload ?? ["systemctl", "reload", unit],
			cluster: this.inventory.name,
		};
	}
}
