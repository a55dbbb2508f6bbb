import { join } from "node:path";
import type { NodeEntry } from "../../config/inventory.js";
import { unitOf } from "../../hosts/systemd-service.js";
import type { OperationContext } from "../context.js";
import { unknownNodes } from "../node-named.js";
import { fileSource } from "./file-source.js";
import { journalSource } from "./journal-source.js";
import { type LogLine, mergedByTime } from "./log-line.js";
import { LogStream } from "./log-stream.js";
import type { LogSource, LogWish } from "./source.js";

export interface LogsWish extends LogWish {
	/** Empty for all. */
	readonly nodes: readonly string[];
	/** Goes on until the signal is aborted. */
	readonly follow: boolean;
}

export interface LogsReport {
	readonly cluster: string;
	/** Whose logs these are. */
	readonly nodes: readonly string[];
	/** Whose log could not be read, or not to its end. */
	readonly unread: readonly {
		readonly node: string;
		readonly fault: string;
	}[];
}

/** More of each node is no answer to anybody. */
export const mostLines = 10_000;
/** Between two looks while following. */
const pauseMs = 500;
/** A node that takes longer is read beside the others, which go on. */
const roundMs = 2_000;

/**
 * The logs of nodes in one stream, by time: of the journals of their hosts, and of files where nodes are processes of this
 * machine. A node whose log cannot be read is named in a warning, once, and does not keep the others waiting. `show` is
 * given lines as they come. Needs no node that runs, and no quorum.
 */
export async function logs(
	context: OperationContext,
	wish: LogsWish,
	show: (lines: readonly LogLine[]) => void,
): Promise<LogsReport> {
	const { inventory, clock, signal, emit } = context;
	const nodes = chosen(context, wish);
	const stream = new LogStream({
		sources: nodes.map((node) => sourceOf(context, node, wish)),
		clock,
		signal,
		say: (node, message) => emit({ type: "warning", node, message }),
	});
	try {
		const begin = await beginning(stream, wish.follow ? roundMs : null);
		if (begin.length > 0) show(begin);
		while (wish.follow && !signal.aborted) {
			const { lines, more } = await stream.round(roundMs);
			if (lines.length > 0) show(lines);
			if (!more) await clock.sleep(pauseMs, signal).catch(() => {});
		}
	} finally {
		await stream.close();
	}
	// What was asked for is a document: half of it, for somebody who has left, is none.
	if (!wish.follow) signal.throwIfAborted();
	return {
		cluster: inventory.name,
		nodes: nodes.map(({ id }) => id),
		unread: stream.unread,
	};
}

/** What was asked for, of all that answer in time, before anything that is written meanwhile: in its order as a whole. */
async function beginning(
	stream: LogStream,
	limitMs: number | null,
): Promise<readonly LogLine[]> {
	const byNode = new Map<string, LogLine[]>();
	for (let more = true; more; ) {
		const round = await stream.round(limitMs);
		for (const line of round.lines) {
			const lines = byNode.get(line.node);
			if (lines === undefined) byNode.set(line.node, [line]);
			else lines.push(line);
		}
		more = round.more;
	}
	return mergedByTime([...byNode.values()]);
}

function chosen(
	{ inventory }: OperationContext,
	{ nodes }: LogsWish,
): readonly NodeEntry[] {
	const unknown = nodes.filter(
		(id) => !inventory.nodes.some((node) => node.id === id),
	);
	if (unknown.length > 0) throw unknownNodes(inventory, unknown);
	return inventory.nodes.filter(
		({ id }) => nodes.length === 0 || nodes.includes(id),
	);
}

function sourceOf(
	{ inventory, machines, clock }: OperationContext,
	{ id, host }: NodeEntry,
	wish: LogWish,
): LogSource {
	if (host === "local") {
		const path = join(inventory.stateDirectory, id, "log");
		return fileSource({ node: id, path, wish, clock });
	}
	return journalSource({
		...{ node: id, unit: unitOf(inventory.name, id), wish, clock },
		host: () => machines.host(host, "login"),
	});
}
