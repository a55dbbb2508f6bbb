import type { LogLine } from "../operations/logs/log-line.js";
import type { LogsReport } from "../operations/logs/logs.js";
import { coloursFor } from "./colours.js";
import { logEvent, logText } from "./log-text.js";
import type { Output } from "./output.js";

/** Where lines of logs go as they come. */
export interface LogView {
	show(lines: readonly LogLine[]): void;
	/** What is printed at the end; null where all is printed. */
	result(report: LogsReport): object | null;
}

interface LogViewOptions {
	readonly output: Output;
	readonly nodes: readonly string[];
	readonly stdout: NodeJS.WriteStream;
	/** Of NDJSON. */
	readonly emitLine: (line: { readonly type: string }) => void;
}

/** Text and NDJSON are written line by line; what is one document is kept until its end. */
export async function logView(options: LogViewOptions): Promise<LogView> {
	const { output, nodes, stdout, emitLine } = options;
	if (output === "ndjson")
		return {
			show(lines) {
				for (const line of lines) emitLine({ type: "log", ...logEvent(line) });
			},
			result: (report) => report,
		};
	if (output === "table") {
		const colours = await coloursFor(stdout);
		const width = Math.max(0, ...nodes.map((node) => node.length));
		return {
			show(lines) {
				const texts = lines.map((line) => logText(line, { width, colours }));
				stdout.write(`${texts.join("\n")}\n`);
			},
			result: () => null,
		};
	}
	const kept: ReturnType<typeof logEvent>[] = [];
	return {
		show: (lines) => void kept.push(...lines.map(logEvent)),
		result: (report) => ({ ...report, lines: kept }),
	};
}

/** Aborted when whoever reads what is written has left: `raftctl logs --follow | head`. */
export function readerGone(stream: NodeJS.WriteStream): AbortSignal {
	const gone = new AbortController();
	stream.once("error", (error) => gone.abort(error));
	return gone.signal;
}
