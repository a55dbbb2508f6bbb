import type { PlannedStep } from "../../operations/events.js";

/** A plan in few lines: neighbouring steps of one node on one, each by the short form of its id, with its cost. */
export function planLines(steps: readonly PlannedStep[]): readonly string[] {
	const groups: { node: string | null; words: string[] }[] = [];
	for (const step of steps) {
		const last = groups.at(-1);
		if (step.node !== null && last?.node === step.node)
			last.words.push(wordsOf(step));
		else groups.push({ node: step.node, words: [wordsOf(step)] });
	}
	return groups.map(
		({ node, words }) =>
			`${node === null ? "" : `${node}: `}${words.join(", ")}`,
	);
}

/** What an earlier attempt did already; before the plan, which is only what is left. */
export function soFarLines({
	soFar = [],
}: {
	readonly soFar?: readonly string[];
}): readonly string[] {
	return soFar.map((sentence) => `so far: ${sentence}`);
}

export function planTitle(
	operation: string,
	{ length }: readonly PlannedStep[],
): string {
	return `${operation}: ${length} ${length === 1 ? "step" : "steps"}`;
}

function wordsOf({ id, node, title, cost }: PlannedStep): string {
	const name =
		node !== null && id.startsWith(`${node}/`)
			? id.slice(node.length + 1)
			: title;
	return cost === "" ? name : `${name} (${cost})`;
}
