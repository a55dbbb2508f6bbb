import { OperatorError } from "../errors.js";
import type { OperationRecord } from "./journal/record.js";
import type { Operation } from "./operation.js";

type Make = (wish: never) => () => Operation;

/** Every operation that the journal may hold, by its name: made again from its recorded arguments, in any process. */
export const catalogue: Readonly<Record<string, () => Promise<Make>>> = {
	"rolling-restart": async () => {
		const { rollOperation } = await import("./roll/operation.js");
		return (wish: Parameters<typeof rollOperation>[0]) => () =>
			rollOperation(wish);
	},
	upgrade: upgradeFrom,
	"upgrade rollback": upgradeFrom,
	"upgrade finalize": async () => {
		const { finalizeOperation } = await import("./upgrade/finalize.js");
		return (wish: Parameters<typeof finalizeOperation>[0]) => () =>
			finalizeOperation(wish);
	},
	"add-learner": async () => {
		const { addLearner } = await import("./membership/add-learner.js");
		return (wish: Parameters<typeof addLearner>[0]) => () => addLearner(wish);
	},
	promote: async () => {
		const { promote } = await import("./membership/promote.js");
		return (wish: Parameters<typeof promote>[0]) => () => promote(wish);
	},
	demote: async () => {
		const { demote } = await import("./membership/demote.js");
		return (wish: Parameters<typeof demote>[0]) => () => demote(wish);
	},
	"remove-node": async () => {
		const { removeNode } = await import("./membership/remove-node.js");
		return (wish: Parameters<typeof removeNode>[0]) => () => removeNode(wish);
	},
	"replace-node": async () => {
		const { replaceNode } = await import("./membership/replace-node.js");
		return (wish: Parameters<typeof replaceNode>[0]) => () => replaceNode(wish);
	},
	"reset-node": async () => {
		const { resetNode } = await import("./membership/reset-node.js");
		return (wish: Parameters<typeof resetNode>[0]) => () => resetNode(wish);
	},
	"move-node": async () => {
		const { moveNode } = await import("./membership/move-node.js");
		return (wish: Parameters<typeof moveNode>[0]) => () => moveNode(wish);
	},
	scale: async () => {
		const { scale } = await import("./membership/scale.js");
		return (wish: Parameters<typeof scale>[0]) => () => scale(wish);
	},
	"transfer-leader": async () => {
		const { transferOperation } = await import("./transfer-leader.js");
		return (wish: Parameters<typeof transferOperation>[0]) => () =>
			transferOperation(wish);
	},
	drain: async () => {
		const { drainOperation } = await import("./drain.js");
		return (wish: Parameters<typeof drainOperation>[0]) => () =>
			drainOperation(wish);
	},
	undrain: async () => {
		const { undrainOperation } = await import("./undrain.js");
		return (wish: Parameters<typeof undrainOperation>[0]) => () =>
			undrainOperation(wish);
	},
	"alarm clear": async () => {
		const { clearOperation } = await import("./alarms.js");
		return (wish: Parameters<typeof clearOperation>[0]) => () =>
			clearOperation(wish);
	},
	"snapshot schedule": async () => {
		const { scheduleOperation } = await import("./snapshots/schedule.js");
		return (wish: Parameters<typeof scheduleOperation>[0]) => () =>
			scheduleOperation(wish);
	},
	"snapshot save": async () => {
		const { saveOperation } = await import("./snapshots/save.js");
		return (wish: Parameters<typeof saveOperation>[0]) => () =>
			saveOperation(wish);
	},
	"certs rotate": async () => {
		const { rotateOperation } = await import("./certs/rotate.js");
		return (wish: Parameters<typeof rotateOperation>[0]) => () =>
			rotateOperation(wish);
	},
	"snapshot restore": async () => {
		const { restore } = await import("./snapshots/restore.js");
		return (wish: Parameters<typeof restore>[0]) => restore(wish);
	},
	recover: async () => {
		const { recover } = await import("./recover/recover.js");
		return (wish: Parameters<typeof recover>[0]) => recover(wish);
	},
};

async function upgradeFrom() {
	const { upgradeOperation } = await import("./upgrade/upgrade.js");
	return (wish: Parameters<typeof upgradeOperation>[0]) => () =>
		upgradeOperation(wish);
}

/** Makes the operation of a record. Throws OperatorError "refused" for one that this release does not know. */
export async function operationOf(
	record: OperationRecord,
): Promise<() => Operation> {
	const load = Object.hasOwn(catalogue, record.operation)
		? catalogue[record.operation]
		: undefined;
	if (load !== undefined) return (await load())(record.arguments as never);
	throw new OperatorError(
		"refused",
		`this raftctl knows no operation "${record.operation}"`,
		{
			state: "nothing was touched",
			next: "use the raftctl that began it, or a newer one",
		},
	);
}
