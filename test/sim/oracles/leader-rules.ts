import { planChange, transitionTo } from "../../../src/raft/changes.js";
import { isJoint, membersOf } from "../../../src/raft/configurations.js";
import { isQuorum, majority } from "../../../src/raft/quorum.js";
import type {
	ConfigurationChange,
	Message,
	Status,
} from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import { demand } from "../violation.js";

/** One leader's term, by the clock of its ticks: that is all that the core knows of time. */
interface Reign {
	readonly term: number;
	/** Rises with every tick that did not come late: time in which others could be heard. */
	attentiveMs: number;
	/** The configuration that it goes by, and when, by `attentiveMs`, it came to. */
	configurationIndex: number;
	changedMs: number;
	/** When each other member was last heard: by the clock, and by `attentiveMs`. */
	readonly heard: Map<string, { tickMs: number; attentiveMs: number }>;
	/** Where its log ended, over the last two election timeouts and a little more. Rising. */
	readonly ends: { readonly tickMs: number; readonly lastIndex: number }[];
	/** How many ticks in a row its disk has been silent for too long. */
	stalledTicks: number;
}

/**
 * What a leader owes the others: it speaks to every member, goes when it hears no quorum or its disk stands still
 * (P35, P36), ends a transfer in time (P37), and changes who takes part only when that is safe (P26, P28).
 */
export class LeaderRules {
	readonly #options: WorldOptions;
	readonly #reigns = new Map<SimNode, Reign>();
	/** Since when each node has had a transfer under way. */
	readonly #transfers = new Map<SimNode, { to: string; tickMs: number }>();

	constructor(options: WorldOptions) {
		this.#options = options;
	}

	restarted(node: SimNode): void {
		this.#reigns.delete(node);
		this.#transfers.delete(node);
	}

	observe(node: SimNode, status: Status): void {
		this.#noteTransfer(node, status);
		const reign = this.#reignOf(node, status);
		if (reign === null) return;
		const { tickMs } = node;
		const { ends } = reign;
		if (ends[ends.length - 1]?.tickMs === tickMs) return;
		ends.push({ tickMs, lastIndex: status.lastIndex });
		const keepFromMs = tickMs - 2 * this.#options.electionTimeoutMs;
		while ((ends[1]?.tickMs ?? tickMs) < keepFromMs) ends.shift();
	}

	/** An answer of this term is about to be handled. */
	arriving(node: SimNode, message: Message): void {
		if (
			message.type !== "append-response" &&
			message.type !== "heartbeat-response"
		)
			return;
		const reign = this.#reigns.get(node);
		if (reign === undefined || reign.term !== message.term) return;
		const { attentiveMs } = reign;
		reign.heard.set(message.from, { tickMs: node.tickMs, attentiveMs });
	}

	/** The core has handled a tick, `elapsedMs` after the one before. */
	ticked(node: SimNode, status: Status, elapsedMs: number): void {
		this.#transferEnds(node, status);
		const reign = this.#reignOf(node, status);
		if (reign === null) return;
		this.#follows(node, status, reign);
		const { electionTimeoutMs, heartbeatIntervalMs, diskStallMs } =
			this.#options;
		if (reign.configurationIndex !== status.configurationIndex) {
			reign.configurationIndex = status.configurationIndex;
			reign.changedMs = reign.attentiveMs;
		}
		if (elapsedMs <= electionTimeoutMs / 2) reign.attentiveMs += elapsedMs;
		// Time away is excused once: there are two heartbeats more to be heard in (P68). Also for those whom nobody waited for
		// before it: a change may have made them voters just then.
		const excuseMs = 2 * heartbeatIntervalMs;
		const sinceMs = reign.attentiveMs - electionTimeoutMs - excuseMs;
		const isHeard = (id: string) =>
			id === node.id ||
			(reign.heard.get(id)?.attentiveMs ?? sinceMs) >= sinceMs;
		demand(
			reign.attentiveMs - reign.changedMs <= excuseMs ||
				isQuorum(status.configuration, isHeard),
			"check-quorum",
			() => `${node.id} leads term ${status.term} and hears no quorum`,
		);
		// A tick that comes late judges nobody, and of two in a row the second is not late.
		const isStalled = node.driver.pendingMs > diskStallMs;
		reign.stalledTicks = isStalled ? reign.stalledTicks + 1 : 0;
		demand(
			reign.stalledTicks < 2,
			"stalled-disk",
			() =>
				`${node.id} leads term ${status.term}; its disk has not answered for ${node.driver.pendingMs} ms`,
		);
	}

	/** Whoever is a member is spoken to. */
	#follows(node: SimNode, status: Status, { heard, attentiveMs }: Reign): void {
		const { configuration, followers } = status;
		const tickMs = Number.NEGATIVE_INFINITY;
		for (const { id } of followers)
			if (!heard.has(id)) heard.set(id, { tickMs, attentiveMs });
		const forgotten = membersOf(configuration).find(
			(id) => id !== node.id && !followers.some((one) => one.id === id),
		);
		demand(
			forgotten === undefined,
			"follows-members",
			() => `${node.id} leads and does not speak to ${forgotten}`,
		);
	}

	/** A leader has taken a change, or refused it. */
	changed(
		node: SimNode,
		change: ConfigurationChange,
		before: Status,
		after: Status,
	): void {
		if (after.configurationIndex === before.configurationIndex) return;
		const { changes, waived } = change;
		const planned = planChange(before.configuration, change);
		if (planned.kind === "refused") return;
		// One that comes back may have another disk: that it was heard before says nothing.
		for (const { type, id } of changes)
			if (type === "add") this.#reigns.get(node)?.heard.delete(id);
		const { target, promoted } = planned;
		const isHeard = (id: string) => this.#isHeard(node, id);
		if (!waived.includes("catch-up"))
			for (const id of promoted) this.#caughtUp(node, id, before);
		if (
			waived.includes("quorum") ||
			!isJoint(transitionTo(before.configuration, target))
		)
			return;
		demand(
			target.voters.filter(isHeard).length >= majority(target.voters.length),
			"quorum-at-risk",
			() =>
				`${node.id} makes voters of ${target.voters.join(", ")}; it hears ${target.voters.filter(isHeard).join(", ")}`,
		);
	}

	/** Two rounds of an election timeout at most: it holds what there was before them (thesis, section 4.2.1). */
	#caughtUp(node: SimNode, id: string, before: Status): void {
		const { electionTimeoutMs } = this.#options;
		const sinceMs = node.tickMs - 2 * electionTimeoutMs;
		const had = this.#reigns
			.get(node)
			?.ends.findLast(({ tickMs }) => tickMs < sinceMs);
		const match = before.followers.find((one) => one.id === id)?.match ?? 0;
		demand(
			this.#isHeard(node, id) && match >= (had?.lastIndex ?? 0),
			"promoted-lagging",
			() =>
				`${node.id} promotes ${id} at ${match}; two election timeouts ago its log ended at ${had?.lastIndex}`,
		);
	}

	#isHeard(node: SimNode, id: string): boolean {
		if (id === node.id) return true;
		const heard = this.#reigns.get(node)?.heard.get(id);
		if (heard === undefined) return false;
		return node.tickMs - heard.tickMs < this.#options.electionTimeoutMs;
	}

	#reignOf(node: SimNode, { role, term }: Status): Reign | null {
		if (role !== "leader") {
			this.#reigns.delete(node);
			return null;
		}
		const known = this.#reigns.get(node);
		if (known?.term === term) return known;
		const reign: Reign = {
			...{ term, attentiveMs: 0, stalledTicks: 0 },
			...{ configurationIndex: 0, changedMs: 0 },
			...{ heard: new Map(), ends: [] },
		};
		this.#reigns.set(node, reign);
		return reign;
	}

	#noteTransfer(node: SimNode, { transferTarget: to }: Status): void {
		const known = this.#transfers.get(node);
		if (to === null) this.#transfers.delete(node);
		else if (known?.to !== to)
			this.#transfers.set(node, { to, tickMs: node.tickMs });
	}

	#transferEnds(node: SimNode, status: Status): void {
		this.#noteTransfer(node, status);
		const { transferTimeoutMs } = this.#options;
		const known = this.#transfers.get(node);
		demand(
			known === undefined || node.tickMs - known.tickMs < transferTimeoutMs,
			"transfer-deadline",
			() => `the transfer of ${node.id} to ${known?.to} does not end`,
		);
	}
}
