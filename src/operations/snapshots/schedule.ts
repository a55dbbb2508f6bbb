import type { SnapshotSchedule } from "../../cluster/engine.js";
import type { Inventory, S3Bucket } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import { askAnyNode } from "../any-node.js";
import { callOptions, type OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import type { Operation, OperationReport, Own, Watched } from "../operation.js";
import type { PlanReport } from "../plan.js";
import { planOperation, runOperation } from "../run-operation.js";

/** Which snapshots the cluster takes by itself. */
export type Schedule = SnapshotSchedule;

/** What --skip can name: that the directory is there, writable, on the machine of every node. */
export const scheduleChecks = ["directory"] as const;
type ScheduleCheck = (typeof scheduleChecks)[number];

export interface ScheduleWish {
	/** Null for none. */
	readonly schedule: SnapshotSchedule | null;
	readonly skip: readonly ScheduleCheck[];
}

export interface ScheduleReport extends OperationReport {
	/** Null: the cluster takes none by itself. */
	readonly schedule: SnapshotSchedule | null;
}

/** More often, and a cluster with a large state does little else. */
const frequentMs = 60_000;
const lookTimeoutMs = 10_000;

/**
 * Tells the cluster which snapshots to take by itself, or null for none. In force once this returns. Throws OperatorError
 * "refused" where a node could not write its copies, which would show at the next change of leader only.
 */
export async function scheduleSnapshots(
	context: OperationContext,
	{
		schedule,
		skip = [],
		...options
	}: Partial<ScheduleWish> & Pick<ScheduleWish, "schedule"> & Watched,
): Promise<ScheduleReport> {
	await requireSensible(context, { schedule, skip });
	const make = () => scheduleOperation({ schedule, skip });
	return runOperation(context, make, options);
}

/** What `scheduleSnapshots` would do now, or the refusal it would end with. Touches nothing. */
export async function planSchedule(
	context: OperationContext,
	wish: ScheduleWish,
): Promise<PlanReport> {
	await requireSensible(context, wish);
	return planOperation(context, scheduleOperation(wish));
}

async function requireSensible(
	context: OperationContext,
	{ schedule, skip }: ScheduleWish,
): Promise<void> {
	if (schedule === null) return;
	warnOfFrequency(context, schedule);
	if (!skip.includes("directory"))
		await requireDirectory(context, schedule.directory);
}

/** Killed, it lapses: the setting is in the log, or it is not. */
export function scheduleOperation(
	wish: ScheduleWish,
): Operation<Own<ScheduleReport>> {
	const { schedule, skip } = wish;
	return {
		...{ name: "snapshot schedule", arguments: wish, skip, lapses: true },
		text: textOf(wish),
		prepare: async () => ({}),
		steps: async ({ context, lock }) => [
			{
				...{ id: "cluster/schedule", node: null, cost: "" },
				title:
					schedule === null
						? "tell the cluster to take no snapshots by itself"
						: `tell the cluster to take a snapshot every ${schedule.intervalMs / 1000} s`,
				// Nothing is half done: what is in the log holds.
				undo: async () => undefined,
				async run(signal) {
					const { fencingToken } = lock;
					const setting = { schedule, fencingToken };
					await askAnyNode(context, (node) =>
						context.engine.setSnapshotSchedule(
							node,
							setting,
							callOptions(signal),
						),
					);
					return null;
				},
			},
		],
		abortSteps: async () => [],
		report: async () => ({ schedule }),
	};
}

function textOf({ schedule, skip }: ScheduleWish): string {
	if (schedule === null) return "snapshot schedule --off";
	const { intervalMs, keep, directory, s3 } = schedule;
	return [
		`snapshot schedule --every ${intervalMs / 1000}s --keep ${keep}`,
		`--directory ${directory}`,
		...(s3 === null ? [] : [`--s3-bucket ${s3.bucket}`]),
		...skip.map((check) => `--skip=${check}`),
	].join(" ");
}

/**
 * Where copies go besides: what is asked for, else what the cluster file says. Throws OperatorError "usage" when the
 * cluster file's is asked for, and it names none.
 */
export function scheduleTarget(
	{ s3, source }: Pick<Inventory, "s3" | "source">,
	asked: S3Bucket | "cluster-file" | "none" | null,
): S3Bucket | null {
	if (asked === "none") return null;
	if (asked !== null && asked !== "cluster-file") return asked;
	const target = s3?.target ?? null;
	if (target !== null || asked === null) return target;
	throw new OperatorError("usage", `${source} names no storage to copy to`, {
		state: "nothing was changed",
		next: "write s3 with endpoint and bucket into it, or give --s3-endpoint and --s3-bucket",
	});
}

function warnOfFrequency(
	context: OperationContext,
	{ intervalMs }: SnapshotSchedule,
): void {
	if (intervalMs >= frequentMs) return;
	context.emit({
		...{ type: "warning", node: null },
		message: `a snapshot every ${intervalMs / 1000} s writes the whole state as often; an interval of a minute or more is meant`,
	});
}

/** Whoever leads writes there, and any of them may lead tomorrow. */
async function requireDirectory(
	context: OperationContext,
	directory: string,
): Promise<void> {
	const { nodes } = context.inventory;
	const names = [...new Set(nodes.map(({ host }) => host))];
	const answers = await Promise.all(
		names.map(async (name) => [name, await looks(context, name, directory)]),
	);
	const wanting = names.filter((_, at) => answers[at]?.[1] === false);
	for (const [name, answer] of answers)
		if (typeof answer === "string")
			context.emit({
				...{ type: "warning", node: null },
				message: `whether ${directory} is there on ${name} could not be seen: ${answer}`,
			});
	if (wanting.length === 0) return;
	throw new OperatorError(
		"refused",
		`${directory} is no directory that can be written, for ${nodes
			.filter(({ host }) => wanting.includes(host))
			.map(({ id }) => id)
			.join(", ")}`,
		{
			state: "nothing was changed",
			next: `on ${wanting.join(", ")}: mkdir -p ${directory}, for the user that raftd runs as; --skip=directory leaves this look out`,
		},
	);
}

/** Whether it can be written there; why that is not known. */
async function looks(
	{ machines, signal }: OperationContext,
	name: string,
	directory: string,
): Promise<boolean | string> {
	try {
		const host = await machines.host(name);
		const argv = ["test", "-d", directory, "-a", "-w", directory];
		const options = { timeoutMs: lookTimeoutMs, signal };
		return (await host.run(argv, options)).exitCode === 0;
	} catch (error) {
		throwIfEnded(signal);
		return reasonOf(error);
	}
}
