import type { OperationEvent } from "../../operations/events.js";
import { costText } from "../report-cost.js";
import { durationText } from "./duration.js";
import { planLines, planTitle, soFarLines } from "./plan-lines.js";
import type { ProgressView, TextSink } from "./view.js";
import { warningText } from "./warning.js";

/** One line an event: time, node, what happened. For CI logs: no cursor movement, no colour. */
export function linesView({
	sink,
	now,
}: {
	readonly sink: TextSink;
	readonly now: () => Date;
}): ProgressView {
	const titles = new Map<string, string>();
	let begun = false;
	return {
		show(event) {
			begun ||= event.type !== "warning";
			if (event.type === "warning" && !begun) {
				sink.write(warningText(event));
				return;
			}
			if (event.type === "plan")
				for (const { id, title } of event.steps) titles.set(id, title);
			if (event.type === "step-started") titles.set(event.step, event.title);
			const time = now().toISOString().slice(11, 19);
			sink.write(`${time} ${lineOf(event, titles)}\n`);
			if (event.type === "plan")
				for (const line of [...soFarLines(event), ...planLines(event.steps)])
					sink.write(`${time}          ${line}\n`);
		},
		close: () => Promise.resolve(),
	};
}

function lineOf(
	event: OperationEvent,
	titles: ReadonlyMap<string, string>,
): string {
	if (event.type === "plan")
		return `plan     ${planTitle(event.operation, event.steps)}`;
	if (event.type === "cost") return `cost     ${costText(event.cost)}`;
	const where = event.node === null ? "" : `${event.node}: `;
	if (event.type === "warning") return `warning  ${where}${event.message}`;
	const title = `${where}${titles.get(event.step) ?? event.step}`;
	switch (event.type) {
		case "step-started":
			return `start    ${title}`;
		case "step-progress":
			return `         ${title}: ${event.note}`;
		case "step-finished":
			return `done     ${title} (${durationText(event.durationMs)})${event.note === null ? "" : `: ${event.note}`}`;
		case "step-skipped":
			return `skipped  ${title}: ${event.reason}`;
		case "step-failed":
			return `failed   ${title}: ${event.reason}`;
	}
}
