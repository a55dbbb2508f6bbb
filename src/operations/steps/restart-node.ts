import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import type { DrainHold } from "./drain-hold.js";
import type { Step } from "./step.js";

interface RestartStep {
	readonly node: NodeEntry;
	readonly service: Service;
	readonly hold: DrainHold;
	/** Throws unless it may be stopped now: the operation's lock is held for certain, and the quorum survives it. */
	readonly requireStoppable: () => Promise<void>;
	/** Brings what the node reads at its start up to date, where that must not be done before the stop. */
	readonly configure?: () => Promise<unknown>;
	readonly stopTimeoutMs: number;
	readonly cost: string;
	/** Called right before the node is asked to stop, with the clock's milliseconds. */
	readonly stopping: (atMs: number) => void;
	readonly started: () => void;
}

/** Stop and start are one step: a node must not stay down because somebody pressed Ctrl-C in between. */
export function restartStep(
	context: OperationContext,
	wish: RestartStep,
): Step {
	const { node, service, hold, stopTimeoutMs, cost, stopping, started } = wish;
	return {
		id: `${node.id}/restart`,
		title: "stop and start",
		node: node.id,
		cost,
		committed: true,
		// A host cannot check a fencing token. A machine that slept has not noticed yet that its lock ran out.
		guard: wish.requireStoppable,
		async run(_signal, progress) {
			const { clock } = context;
			await wish.configure?.();
			await hold.abandon();
			const stoppingAt = clock.now();
			stopping(stoppingAt);
			context.ledger?.stopping(node.id, stoppingAt);
			await service.stop(stopTimeoutMs);
			const stopMs = Math.round(clock.now() - stoppingAt);
			progress(`stopped after ${stopMs} ms`);
			await service.start();
			started();
			return `stopped after ${stopMs} ms, started`;
		},
	};
}

const logTailLines = 8;

/** Throws OperatorError "partial", with the end of its log, when the process is gone. */
export async function requireRunning(
	service: Service,
	node: string,
): Promise<void> {
	const state = await service.state();
	if (state.running) return;
	throw new OperatorError(
		"partial",
		`${node} ended right after its start${state.exit === null ? "" : ` (${state.exit})`}`,
		{ node, problems: await logTailOf(service) },
	);
}

export async function logTailOf(service: Service): Promise<readonly string[]> {
	try {
		const tail = await service.logTail(logTailLines);
		return worthSaying(tail.split("\n").filter((line) => line.trim() !== ""));
	} catch (error) {
		return [`its log could not be read: ${reasonOf(error)}`];
	}
}

const longestLine = 300;

/** A node's log is JSON, a line each. Where there is a warning or worse, what merely went well says nothing of a fault. */
function worthSaying(lines: readonly string[]): readonly string[] {
	const told = lines.map(toldLine);
	const bad = told.filter(({ isBad }) => isBad);
	return (bad.length > 0 ? bad : told).map(({ text }) =>
		text.length > longestLine ? `${text.slice(0, longestLine)}…` : text,
	);
}

function toldLine(line: string): {
	readonly text: string;
	readonly isBad: boolean;
} {
	try {
		const { level, time, msg } = JSON.parse(line) as Record<string, unknown>;
		if (typeof msg !== "string") return { text: line, isBad: true };
		return { text: `${time} ${level}: ${msg}`, isBad: level !== "info" };
	} catch {
		// Not of the log: what ends a process is written as it comes.
		return { text: line, isBad: true };
	}
}
