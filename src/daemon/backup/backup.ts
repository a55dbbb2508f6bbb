import { reasonOf } from "../../errors.js";
import type {
	ControlOutcome,
	ScheduledSnapshot,
	SnapshotSchedule,
} from "../../machines/control.js";
import type { Diagnose } from "../peers/complaints.js";
import type { CommandOutcome, Replica } from "../replica.js";
import type { CopyOwner } from "./copy-names.js";
import { isDue, minRetryMs } from "./due.js";
import { confirmLeading, leadingTerm, NotLeading } from "./leadership.js";
import { type RoundOptions, type RoundResult, takeScheduled } from "./round.js";

type BackupReplica = Pick<
	Replica,
	"status" | "readIndex" | "takeSnapshot" | "control" | "controlState"
>;

export interface BackupOptions
	extends Pick<
		RoundOptions,
		| "openSnapshot"
		| "credentials"
		| "authority"
		| "work"
		| "environment"
		| "snapshotsDirectory"
		| "maxBytesPerSecond"
	> {
	readonly replica: BackupReplica;
	readonly owner: CopyOwner;
	/** A new leader waits so long: until then the one before it may not know yet that it is none. */
	readonly settleMs: number;
	readonly diagnose: Diagnose;
	/** Monotonic. */
	readonly nowMs: () => number;
	/** Since the Unix epoch. */
	readonly wallMs: () => number;
}

/** To be called so often. */
export const lookIntervalMs = 1000;
const recordLimitMs = 5000;
const closeLimitMs = 3000;
/** What the replicated state takes. */
const maxFaultLength = 1000;
const maxFileLength = 1024;

/**
 * The snapshots that the cluster takes by itself. Every node has one of these, and the leader's acts: one snapshot at a
 * time, its outcome written to the log, so that whoever leads next goes on from there and every node can tell.
 */
export class Backup {
	readonly #options: BackupOptions;
	#leading: { readonly term: number; readonly sinceMs: number } | null = null;
	#notBeforeMs = Number.NEGATIVE_INFINITY;
	#running: {
		readonly stop: AbortController;
		readonly ended: Promise<void>;
	} | null = null;
	#closed = false;

	constructor(options: BackupOptions) {
		this.#options = options;
	}

	/** Whether a snapshot of the schedule is being taken, copied or handed on. */
	get isRunning(): boolean {
		return this.#running !== null;
	}

	/** Looks what there is to do. */
	look(): void {
		const { replica, nowMs } = this.#options;
		const term = leadingTerm(replica);
		if (term === null || term !== this.#leading?.term) {
			this.#stop(new NotLeading("this node no longer leads"));
			this.#leading = term === null ? null : { term, sinceMs: nowMs() };
		}
		const { snapshotSchedule } = replica.controlState();
		if (snapshotSchedule === null)
			this.#stop(new NotLeading("the schedule was ended"));
		else if (this.#mayBegin(snapshotSchedule)) this.#begin(snapshotSchedule);
	}

	#mayBegin(schedule: SnapshotSchedule): boolean {
		const { replica, nowMs, wallMs, settleMs } = this.#options;
		if (this.#closed || this.#running !== null || this.#leading === null)
			return false;
		if (nowMs() - this.#leading.sinceMs < settleMs) return false;
		if (nowMs() < this.#notBeforeMs) return false;
		return isDue(schedule, replica.controlState().scheduledSnapshot, wallMs());
	}

	#begin(schedule: SnapshotSchedule): void {
		const stop = new AbortController();
		const term = this.#leading?.term ?? 0;
		const ended = this.#attempt(schedule, term, stop.signal).finally(() => {
			this.#running = null;
		});
		this.#running = { stop, ended };
	}

	#stop(reason: Error): void {
		this.#running?.stop.abort(reason);
	}

	/** Never rejects. */
	async #attempt(
		schedule: SnapshotSchedule,
		term: number,
		signal: AbortSignal,
	): Promise<void> {
		const { replica, diagnose, wallMs, nowMs } = this.#options;
		const begunAtMs = wallMs();
		const sinceMs = nowMs();
		// Should its outcome not get into the log, there is a pause all the same.
		this.#notBeforeMs = Number.POSITIVE_INFINITY;
		let isRecorded = false;
		try {
			const result = await takeScheduled(
				{
					...this.#options,
					schedule,
					takeSnapshot: (done) => replica.takeSnapshot(done),
					confirm: () => confirmLeading(replica, term),
				},
				signal,
			);
			isRecorded = await this.#record(this.#success(begunAtMs, result));
			const tookMs = Math.round(nowMs() - sinceMs);
			diagnose("info", "a snapshot of the schedule is kept", {
				...{ ...result, tookMs },
			});
		} catch (error) {
			if (signal.aborted || error instanceof NotLeading) {
				diagnose("info", "a snapshot of the schedule was given up", {
					reason: reasonOf(signal.aborted ? signal.reason : error),
				});
			} else {
				const fault = await this.#withoutSecrets(reasonOf(error));
				diagnose("warn", "a snapshot of the schedule failed", { fault });
				isRecorded = await this.#record(this.#failure(fault));
			}
		} finally {
			this.#notBeforeMs = isRecorded
				? Number.NEGATIVE_INFINITY
				: nowMs() + minRetryMs;
		}
	}

	/** Its age is that of what it holds: the time at which it was begun. */
	#success(
		begunAtMs: number,
		{ index, file, bytes }: RoundResult,
	): ScheduledSnapshot {
		const { owner, wallMs } = this.#options;
		return {
			...{ succeededAtMs: begunAtMs, index, node: owner.node, bytes },
			file: file.slice(0, maxFileLength),
			...{ attemptedAtMs: wallMs(), fault: "" },
		};
	}

	#failure(fault: string): ScheduledSnapshot {
		const { replica, wallMs } = this.#options;
		const last = replica.controlState().scheduledSnapshot ?? {
			...{ succeededAtMs: null, index: 0, node: "", file: "", bytes: 0 },
		};
		return { ...last, attemptedAtMs: wallMs(), fault };
	}

	/** A command or a server may say in its words what it was told in confidence. */
	async #withoutSecrets(sentence: string): Promise<string> {
		const { credentials, replica } = this.#options;
		const { s3 = null } = replica.controlState().snapshotSchedule ?? {};
		const known = s3 === null ? null : await credentials().catch(() => null);
		const secrets = [known?.secretAccessKey, known?.sessionToken];
		return secrets
			.filter((secret): secret is string => secret !== undefined)
			.reduce((text, secret) => text.replaceAll(secret, "***"), sentence)
			.slice(0, maxFaultLength);
	}

	/** Whether it is known to be in the log, and was taken up. */
	async #record(last: ScheduledSnapshot): Promise<boolean> {
		const { replica, wallMs, diagnose } = this.#options;
		const type = "record-scheduled-snapshot";
		const command = { type, nowMs: wallMs(), ...last };
		const outcome = await new Promise<CommandOutcome>((resolve) =>
			replica.control(
				Buffer.from(JSON.stringify(command)),
				recordLimitMs,
				resolve,
			),
		);
		const refusal = refusalOf(outcome);
		if (refusal === null) return true;
		diagnose("warn", "the outcome of the schedule's snapshot is not written", {
			reason: refusal,
		});
		return false;
	}

	/** Ends what is under way, and waits for that: for a command to end, but for no server. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#stop(new NotLeading("the node is stopping"));
		let timer: NodeJS.Timeout | undefined;
		const limit = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, closeLimitMs);
		});
		await Promise.race([this.#running?.ended, limit]);
		clearTimeout(timer);
	}
}

function refusalOf(outcome: CommandOutcome): string | null {
	if (outcome.kind === "rejected" || outcome.kind === "unknown")
		return outcome.message;
	if (outcome.kind !== "applied") return `it ended as ${outcome.kind}`;
	const { ok, reason }: ControlOutcome = JSON.parse(
		new TextDecoder().decode(outcome.result),
	);
	return ok ? null : `${reason}`;
}
