import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import type { OperationLock } from "../lock.js";
import type { Step } from "./step.js";
import { requireNoMember } from "./stop-node.js";

interface BootStep {
	readonly node: NodeEntry;
	readonly boot: NonNullable<Service["boot"]>;
	/** What is left for people to do. */
	readonly notes: string[];
}

/** A machine that boots must not bring back what was taken out: it would ask who it is, for ever, and look like a node. */
export function withoutHostStep(
	context: OperationContext,
	lock: OperationLock,
	wish: BootStep,
): Step {
	const { node } = wish;
	return {
		...bootStep(wish, false),
		title: "let it not start with its host any more",
		async guard() {
			await requireNoMember(context, node, lock.signal);
			// A host cannot check a fencing token.
			await lock.requireFresh();
		},
	};
}

/** What was taken out before, and is taken in again. Its node.yaml says that it joins (P31). */
export function withHostStep(lock: OperationLock, wish: BootStep): Step {
	return {
		...bootStep(wish, true),
		title: "let it start with its host",
		guard: () => lock.requireFresh(),
	};
}

/** Where it cannot be changed that is said: the members are what counts. */
function bootStep(
	{ node, boot, notes }: BootStep,
	starts: boolean,
): Pick<Step, "id" | "node" | "cost" | "isDone" | "run"> {
	const { id, host } = node;
	const said = (error: unknown) => {
		if (!(error instanceof OperatorError)) throw error;
		const goes = starts ? "may not start" : "may start";
		const note = `${id} ${goes} with ${host}: ${error.message}`;
		if (!notes.includes(note)) notes.push(note);
		return error.message;
	};
	return {
		...{ id: `${id}/boot`, node: id, cost: "" },
		isDone: async () => {
			try {
				if ((await boot.isSet()) !== starts) return null;
				return starts ? "it does" : "it does not";
			} catch (error) {
				return said(error);
			}
		},
		run: (signal) => boot.set(starts, signal).then(() => null, said),
	};
}
