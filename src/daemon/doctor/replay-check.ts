import { OperatorError, reasonOf } from "../../errors.js";
import { inWorld } from "../../machines/check/world.js";
import type { Machine } from "../../machines/machine.js";
import type { Entry } from "../../raft/types.js";
import type { ReadLog } from "../../storage/verify.js";
import { defaultLimits } from "../engine/limits.js";
import { ReplicatedState } from "../engine/replicated-state.js";
import { digestInterval } from "../engine/state/digests.js";
import type { DataDirectory } from "./data-directory.js";
import type { UsableSnapshot } from "./examine-snapshots.js";
import type { ReplayPlan } from "./replay-plan.js";
import { ReplayRecord } from "./replay-record.js";
import { contentOf } from "./snapshot-content.js";
import { differingParts, partDigests } from "./state-parts.js";

export interface ReplayDifference {
	/** Of the first entry after which something was seen to differ. */
	readonly index: number;
	/** result, digest, restore, snapshot, state, cluster-digest; or failure, unreadable-entry: nothing was compared. */
	readonly what: string;
	readonly message: string;
}

export interface ReplayFindings {
	/** Digests at fixed indexes that were compared. */
	readonly digests: number;
	readonly difference: ReplayDifference | null;
}

/** Ends a replay at the first difference. */
class Differs extends Error {
	readonly difference: ReplayDifference;

	constructor(index: number, what: string, message: string) {
		super(message);
		this.difference = { index, what, message };
	}
}

/**
 * Executes the entries twice, each time with another clock, randomness, time zone and locale, the second time going on
 * from a snapshot in the middle, and compares results, digests and what the node itself once came to (P60). One after
 * the other, so that two states are in memory only where they are compared. Not to be called while anything else of the
 * process runs on timers.
 */
export async function checkReplay(
	directory: DataDirectory,
	replayed: {
		readonly log: ReadLog;
		readonly plan: ReplayPlan;
		readonly machine: Machine;
	},
): Promise<ReplayFindings> {
	const check = new ReplayCheck(directory, replayed);
	let difference: ReplayDifference | null = null;
	try {
		await check.run();
	} catch (error) {
		if (!(error instanceof Differs)) throw error;
		difference = error.difference;
	}
	return { digests: check.record.digestsCompared, difference };
}

/** Entries that are executed in one world without a look at anything else. */
const batchEntries = 256;

class ReplayCheck {
	readonly record: ReplayRecord;
	readonly #directory: DataDirectory;
	readonly #log: ReadLog;
	readonly #plan: ReplayPlan;
	readonly #machine: Machine;

	constructor(
		directory: DataDirectory,
		{
			log,
			plan,
			machine,
		}: {
			readonly log: ReadLog;
			readonly plan: ReplayPlan;
			readonly machine: Machine;
		},
	) {
		this.#directory = directory;
		this.#log = log;
		this.#plan = plan;
		this.#machine = machine;
		this.record = new ReplayRecord(plan.from);
	}

	async run(): Promise<void> {
		const first = await this.#first();
		await this.#second(first);
	}

	/** Returns the digests of the parts of the state at the end. */
	async #first(): Promise<ReadonlyMap<string, string>> {
		const { to, known } = this.#plan;
		const state = await this.#atStart();
		for (const snapshot of known) {
			this.#apply(state, snapshot.manifest.index, 0);
			await this.#compareWithNode(state, snapshot);
		}
		this.#apply(state, to, 0);
		const { disagreement } = state;
		if (disagreement !== null)
			throw new Differs(
				disagreement.index,
				"cluster-digest",
				`the cluster's digest of the state after entry ${disagreement.index} was ${disagreement.other}, and now it is ${disagreement.own}: some entry from ${sinceDigest(disagreement.index)} on came to something else then, or an earlier release of the machine executed it`,
			);
		return inWorld(0, () => partDigests(state));
	}

	async #second(expected: ReadonlyMap<string, string>): Promise<void> {
		const { middle, to } = this.#plan;
		const before = await this.#atStart();
		this.#apply(before, middle, 1);
		const state = await this.#restored(before);
		this.#apply(state, to, 1);
		const parts = differingParts(
			expected,
			inWorld(1, () => partDigests(state)),
		);
		if (parts.length > 0)
			throw new Differs(
				to,
				"state",
				`the state after entry ${to} is another one when it goes on from a snapshot after entry ${middle}: ${parts.join(", ")}; every result up to there was the same`,
			);
	}

	async #atStart(): Promise<ReplicatedState> {
		const { start } = this.#plan;
		const state = this.#newState();
		if (start !== null) await this.#load(state, start);
		return state;
	}

	#newState(): ReplicatedState {
		return new ReplicatedState(this.#machine, defaultLimits);
	}

	#load(state: ReplicatedState, snapshot: UsableSnapshot): Promise<void> {
		const { index } = snapshot.manifest;
		const chunks = contentOf(this.#directory, snapshot);
		return restoring(state, index, "snapshot", chunks);
	}

	/** A state that was brought back from a snapshot of `before`, and is no other. */
	async #restored(before: ReplicatedState): Promise<ReplicatedState> {
		const state = this.#newState();
		const { index, chunks } = before.snapshot();
		await restoring(state, index, "restore", {
			[Symbol.iterator]: () => chunks,
		});
		const parts = differingParts(partDigests(before), partDigests(state));
		if (parts.length === 0) return state;
		throw new Differs(
			index,
			"restore",
			`a snapshot after entry ${index} does not bring back the same state: ${parts.join(", ")}`,
		);
	}

	/** With the snapshot that the node took, or was given, when it was there. How far events reach back is its own affair. */
	async #compareWithNode(
		state: ReplicatedState,
		snapshot: UsableSnapshot,
	): Promise<void> {
		const { index } = snapshot.manifest;
		const known = this.#newState();
		await this.#load(known, snapshot);
		const parts = differingParts(partDigests(known), partDigests(state)).filter(
			(part) => part !== "events",
		);
		if (parts.length === 0) return;
		throw new Differs(
			index,
			"snapshot",
			`the snapshot at index ${index} holds another state than its log leads to: ${parts.join(", ")}; some entry up to ${index} came to something else then, or an earlier release of the machine executed it`,
		);
	}

	/** Executes all up to `to` and records, or compares, what each came to. */
	#apply(state: ReplicatedState, to: number, world: number): void {
		let batch: Entry[] = [];
		const execute = () => {
			const entries = batch;
			batch = [];
			inWorld(world, () => {
				for (const entry of entries) {
					this.#execute(state, entry);
					// As on a node, where the buffer is used again: who keeps a view of a command differs from the first replay.
					if (world > 0) entry.data.fill(0xff);
				}
			});
		};
		for (const entry of this.#log.entries(state.applied + 1, to)) {
			batch.push(entry);
			if (batch.length === batchEntries) execute();
		}
		execute();
	}

	#execute(state: ReplicatedState, entry: Entry): void {
		const { index } = entry;
		const result = state.apply(entry);
		if (result === null) {
			const what = state.unreadable === null ? "failure" : "unreadable-entry";
			throw new Differs(index, what, state.failure ?? "");
		}
		if (!this.record.result(index, result))
			throw new Differs(
				index,
				"result",
				`the result of entry ${index} is another one when it is executed again`,
			);
		const digest = state.newestDigest;
		if (digest?.index === index && !this.record.digest(index, digest.digest))
			throw new Differs(
				index,
				"digest",
				`the state after entry ${index} is another one when its entries are executed again: some entry from ${sinceDigest(index)} on changed it, or told subscribers, otherwise; every result was the same`,
			);
	}
}

/** What the machine cannot bring back is a finding as well. */
async function restoring(
	state: ReplicatedState,
	index: number,
	what: string,
	chunks: Iterable<Uint8Array>,
): Promise<void> {
	try {
		const restorer = state.restorer(index);
		for (const chunk of chunks) await restorer.write(chunk);
		restorer.finish();
	} catch (error) {
		if (error instanceof OperatorError) throw error;
		throw new Differs(index, what, reasonOf(error));
	}
}

function sinceDigest(index: number): number {
	return Math.max(1, index - digestInterval + 1);
}
