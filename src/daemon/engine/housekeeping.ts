import type { ControlCommand } from "../../machines/control.js";
import { membersOf } from "../../raft/configurations.js";
import type { Raft } from "../../raft/raft.js";
import {
	type Configuration,
	type ConfigurationChange,
	type CoreAlarm,
	EntryKind,
} from "../../raft/types.js";
import type { Diagnose } from "../peers/complaints.js";
import type { Incarnations } from "../peers/handshake.js";
import type { ConfigurationOutcome } from "../replica.js";
import type { Commands } from "./commands.js";
import type { ReplicatedState } from "./replicated-state.js";
import type { Disagreement } from "./state/digests.js";

/** How often a leader looks for something to do. */
const intervalMs = 1000;
/** How often nodes compare their states while anything is written. */
const compareIntervalMs = 10_000;
const deadlineMs = 5000;
/** Lets one under way end before the next is asked for; and an idle log must not grow by ticks alone. */
const repeatMs = 10_000;

interface HousekeepingOptions {
	readonly raft: Raft;
	readonly state: ReplicatedState;
	readonly commands: Commands;
	readonly incarnations: Incarnations;
	/** This node's own. */
	readonly incarnation: string;
	readonly diagnose: Diagnose;
	readonly nowMs: () => number;
	/** The cluster's time, since the Unix epoch. */
	readonly clusterMs: () => number;
	/** Begins a change of membership. */
	change(
		change: ConfigurationChange,
		done: (outcome: ConfigurationOutcome) => void,
	): void;
}

/**
 * What nobody asks for and the cluster needs: time for its sessions, states compared (P60), members' incarnations
 * written down (P31), and what went wrong made known to all. Raising an alarm is every node's business, the rest the
 * leader's.
 */
export class Housekeeping {
	readonly #options: HousekeepingOptions;
	/** Of the last tries, by what was tried. */
	readonly #tried = new Map<string, number>();
	#nextMs = 0;
	#compared = 0;
	#comparedMs = 0;
	#alarms: ReadonlyMap<string, unknown> | null = null;
	readonly #wentBack = new Map<string, CoreAlarm>();
	/** What was made known: cleared by somebody, it is not raised again. */
	#told: Disagreement | null = null;

	constructor(options: HousekeepingOptions) {
		this.#options = options;
	}

	/** The core has found something that only people can put right. */
	coreAlarm(alarm: CoreAlarm): void {
		const { diagnose } = this.#options;
		const { node, acknowledged, found } = alarm;
		diagnose("error", `the log of ${node} went back: it is not counted`, {
			...{ node, acknowledged, found },
		});
		this.#wentBack.set(node, alarm);
		this.#nextMs = 0;
	}

	tick(nowMs: number): void {
		if (nowMs < this.#nextMs) return;
		this.#nextMs = nowMs + intervalMs;
		this.#distrust();
		this.#raiseAlarms();
		if (this.#options.raft.status().role !== "leader") return;
		this.#tellTime();
		this.#compareStates(nowMs);
		this.#registerIncarnations();
	}

	/** What the cluster knows of logs that went back, the core must know on every node. */
	#distrust(): void {
		const { raft, state } = this.#options;
		const { alarms } = state.control;
		if (alarms === this.#alarms) return;
		this.#alarms = alarms;
		const ids = [...alarms.values()]
			.filter(({ kind }) => kind === "log-went-back")
			.map(({ node }) => node);
		raft.distrust(new Set(ids));
	}

	#raiseAlarms(): void {
		const { state, raft } = this.#options;
		const { id } = raft.status();
		for (const { node, acknowledged, found } of this.#wentBack.values()) {
			const message = `it had acknowledged everything up to index ${acknowledged}, and holds ${found} at most`;
			if (this.#raise("log-went-back", node, found, message))
				this.#wentBack.delete(node);
		}
		const { disagreement, unreadable } = state;
		if (disagreement !== null && disagreement !== this.#told) {
			const { index, own, other } = disagreement;
			const message = `its state at index ${index} is ${own}, the leader's was ${other}`;
			if (this.#raise("state-differs", id, index, message))
				this.#told = disagreement;
		}
		if (unreadable !== null)
			this.#raise("unreadable-entry", id, unreadable.index, unreadable.message);
	}

	/** True when the alarm stands. */
	#raise(
		kind: "log-went-back" | "state-differs" | "unreadable-entry",
		node: string,
		index: number,
		message: string,
	): boolean {
		const stands = [...this.#options.state.control.alarms.values()].some(
			(alarm) => alarm.kind === kind && alarm.node === node,
		);
		if (!stands)
			this.#control(`${kind} ${node}`, {
				...{ type: "raise-alarm", kind, node, index, message },
				nowMs: Date.now(),
			});
		return stands;
	}

	#tellTime(): void {
		const { state, clusterMs } = this.#options;
		if (state.wantsTick)
			this.#control("tick", { type: "tick", nowMs: clusterMs() });
	}

	#compareStates(nowMs: number): void {
		const newest = this.#options.state.newestDigest;
		if (newest === null || newest.index === this.#compared) return;
		if (nowMs - this.#comparedMs < compareIntervalMs) return;
		this.#compared = newest.index;
		this.#comparedMs = nowMs;
		this.#control("compare-state", {
			...{ type: "compare-state", ...newest },
			nowMs: Date.now(),
		});
	}

	/** The founders did not know each other's when the first entry was written. */
	#registerIncarnations(): void {
		const { raft, change } = this.#options;
		const { index, configuration } = raft.configuration();
		if (configuration.outgoing.length > 0) return;
		const changes = membersOf(configuration).flatMap((id) => {
			const address = this.#incarnationOf(id, configuration);
			return address === null ? [] : [{ type: "update" as const, id, address }];
		});
		if (changes.length === 0 || !this.#isTimeFor("incarnations")) return;
		change({ changes, expectedIndex: index, waived: [] }, ({ kind }) => {
			// Another change was under way, or the leader is new: the next look may find it otherwise.
			if (kind === "refused") this.#tried.delete("incarnations");
		});
	}

	#incarnationOf(id: string, { addresses }: Configuration) {
		const { raft, incarnation: own, incarnations } = this.#options;
		const address = addresses[id];
		if (address === undefined || address.incarnation !== undefined) return null;
		const incarnation = id === raft.status().id ? own : incarnations.known(id);
		return incarnation === null ? null : { ...address, incarnation };
	}

	#control(what: string, command: ControlCommand): void {
		if (!this.#isTimeFor(what)) return;
		const { commands, nowMs } = this.#options;
		commands.accept({
			kind: EntryKind.control,
			level: 0,
			command: Buffer.from(JSON.stringify(command)),
			ack: "commit",
			deadlineMs: nowMs() + deadlineMs,
			origin: { kind: "local", client: "housekeeping", done: () => {} },
		});
	}

	/** False while an earlier try may still be under way. */
	#isTimeFor(what: string): boolean {
		const nowMs = this.#options.nowMs();
		const since = this.#tried.get(what) ?? Number.NEGATIVE_INFINITY;
		if (nowMs - since < repeatMs) return false;
		this.#tried.set(what, nowMs);
		return true;
	}
}
