import type { OperationEvent } from "../../operations/events.js";
import type { Output } from "../output.js";
import { linesView } from "./lines.js";
import { liveView } from "./live.js";
import { ndjsonView } from "./ndjson.js";
import { warningText } from "./warning.js";

/** Shows an operation's events while it runs. */
export interface ProgressView {
	show(event: OperationEvent): void;
	/** A line that is itself the result, where results are lines. */
	line?(line: { readonly type: string }): void;
	/** Ends what is drawn, so that a result or an error can follow. Nothing is shown afterwards. */
	close(): Promise<void>;
}

/** A stream, as much of it as a view needs. */
export interface TextSink {
	readonly isTTY?: boolean;
	write(text: string): unknown;
}

interface ViewOptions {
	readonly output: Output;
	readonly stdout: TextSink;
	readonly stderr: NodeJS.WriteStream;
	readonly now: () => Date;
}

/** A live list on a terminal, one line per event without one, NDJSON on stdout, warnings only for the rest. */
export function viewFor({
	output,
	stdout,
	stderr,
	now,
}: ViewOptions): ProgressView {
	if (output === "ndjson") return ndjsonView({ sink: stdout, now });
	if (output !== "table") return warningsView(stderr);
	return stderr.isTTY
		? liveView({ stream: stderr, now })
		: linesView({ sink: stderr, now });
}

/** A machine reads one document on stdout; what a person should know all the same goes to stderr. */
function warningsView(sink: TextSink): ProgressView {
	return {
		show(event) {
			if (event.type === "warning") sink.write(warningText(event));
		},
		close: () => Promise.resolve(),
	};
}
