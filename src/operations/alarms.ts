import type { AlarmStatus, NodeStatus } from "../cluster/engine.js";
import { confirmedLeader } from "../cluster/health.js";
import { OperatorError } from "../errors.js";
import { askAnyNode } from "./any-node.js";
import {
	callOptions,
	commandFor,
	lookAtCluster,
	type OperationContext,
} from "./context.js";
import { unknownNodes } from "./node-named.js";
import type {
	Operation,
	OperationOptions,
	OperationReport,
	Own,
} from "./operation.js";
import type { PlanReport } from "./plan.js";
import { planOperation, runOperation } from "./run-operation.js";
import { endAlarm } from "./steps/clear-alarms.js";
import type { Step } from "./steps/step.js";

export interface AlarmList {
	readonly cluster: string;
	readonly alarms: readonly AlarmStatus[];
}

/** Every alarm that stands, by a quorum's word. */
export async function listAlarms(
	context: OperationContext,
): Promise<AlarmList> {
	const { engine, inventory, signal } = context;
	const alarms = await askAnyNode(context, async (node) => {
		await engine.readIndex(node, callOptions(signal));
		return (await engine.status(node, callOptions(signal))).alarms;
	});
	return { cluster: inventory.name, alarms };
}

export interface ClearWish {
	/** Whom it is about; one that the cluster file does not have, too. */
	readonly node: string;
	/** Null for every kind. */
	readonly kind: string | null;
}

export interface ClearReport extends OperationReport {
	readonly cleared: readonly AlarmStatus[];
}

/** Ends alarms that somebody has seen to. Does nothing where none stands. */
export async function clearAlarms(
	context: OperationContext,
	{ lockWaitMs, confirm, canary = {}, ...wish }: ClearWish & OperationOptions,
): Promise<ClearReport> {
	const make = () => clearOperation(wish);
	return runOperation(context, make, {
		...{ lockWaitMs, canary },
		...(confirm === undefined ? {} : { confirm }),
	});
}

/** What `clearAlarms` would do now, or the refusal it would end with. Touches nothing. */
export function planClear(
	context: OperationContext,
	wish: ClearWish,
): Promise<PlanReport> {
	return planOperation(context, clearOperation(wish));
}

/** What stood when it began: whoever takes it up has to tell what it has ended. */
interface ClearMemo {
	readonly standing: readonly AlarmStatus[];
}

/** Killed, it lapses: each alarm stands or does not. */
export function clearOperation(wish: ClearWish): Operation<Own<ClearReport>> {
	const { node, kind } = wish;
	return {
		...{ name: "alarm clear", arguments: wish, skip: [], lapses: true },
		text: `alarm clear ${node}${kind === null ? "" : ` --kind ${kind}`}`,
		async prepare(context): Promise<ClearMemo> {
			const leader = await requireLeader(context, context.signal);
			requireKnown(context, wish, leader);
			const standing = leader.alarms.filter((one) => isMeant(wish, one));
			requireNoVote(context, wish, { leader, standing });
			return { standing };
		},
		async steps({ context, lock }) {
			const { alarms } = await requireLeader(context, lock.signal);
			return alarms
				.filter((one) => isMeant(wish, one))
				.map(
					({ kind, message }): Step => ({
						id: `${node}/alarm/${kind}`,
						title: `end the alarm ${kind}: ${message}`,
						...{ node, cost: "" },
						async run() {
							await endAlarm(context, lock, { kind, node });
							return null;
						},
					}),
				);
		},
		// Each that is ended was seen to.
		abortSteps: async () => [],
		async report({ context, lock, memo }) {
			const { alarms } = await requireLeader(context, lock.signal);
			const { standing } = memo as ClearMemo;
			const stands = ({ kind }: AlarmStatus) =>
				alarms.some((one) => one.kind === kind && one.node === node);
			return { cleared: standing.filter((one) => !stands(one)) };
		},
	};
}

function isMeant({ node, kind }: ClearWish, alarm: AlarmStatus): boolean {
	return alarm.node === node && (kind === null || alarm.kind === kind);
}

async function requireLeader(
	context: OperationContext,
	signal: AbortSignal,
): Promise<NodeStatus> {
	const leader = confirmedLeader(await lookAtCluster(context, signal));
	if (leader !== null) return leader;
	throw new OperatorError("refused", "no leader that a quorum confirms", {
		state: "every alarm stands as before",
		next: commandFor(context, "status"),
	});
}

/** A slip of the finger must not pass for an alarm that is gone already. */
function requireKnown(
	context: OperationContext,
	{ node, kind }: ClearWish,
	{ alarms, members }: NodeStatus,
): void {
	const isKnown = [...context.inventory.nodes, ...members].some(
		({ id }) => id === node,
	);
	if (!isKnown && !alarms.some((alarm) => alarm.node === node))
		throw unknownNodes(context.inventory, [node]);
	if (kind === null || alarms.length === 0) return;
	if (alarms.some((alarm) => isMeant({ node, kind }, alarm))) return;
	throw new OperatorError("refused", `no alarm ${kind} about ${node} stands`, {
		problems: alarms.map(
			(alarm) => `there is ${alarm.kind} about ${alarm.node}`,
		),
		state: "every alarm stands as before",
		next: commandFor(context, "alarm list"),
	});
}

/** Cleared, it would let a voter count again that has forgotten what it acknowledged (P31). */
function requireNoVote(
	context: OperationContext,
	{ node }: ClearWish,
	found: {
		readonly leader: NodeStatus;
		readonly standing: readonly AlarmStatus[];
	},
): void {
	const member = found.leader.members.find(({ id }) => id === node);
	if (member === undefined || member.role === "learner") return;
	if (!found.standing.some(({ kind }) => kind === "log-went-back")) return;
	throw new OperatorError(
		"refused",
		`${node} still votes with the log that went back`,
		{
			node,
			state: "every alarm stands as before",
			next: `${commandFor(context, `reset-node ${node}`)}; it ends the alarm, too`,
		},
	);
}
