import type { ProgressView, TextSink } from "./view.js";

/** One JSON object a line, with the schema's version, a number that counts up from 1 and the time. */
export function ndjsonView({
	sink,
	now,
}: {
	readonly sink: TextSink;
	readonly now: () => Date;
}): ProgressView {
	let id = 0;
	const show = (event: { readonly type: string }) => {
		id += 1;
		const line = { version: 1, id, time: now().toISOString(), ...event };
		sink.write(`${JSON.stringify(line)}\n`);
	};
	return {
		show,
		line: show,
		close: () => Promise.resolve(),
	};
}
