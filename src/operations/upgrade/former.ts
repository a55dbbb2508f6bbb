import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { listOperations } from "../operations.js";
import type { Targets } from "./goal.js";

/**
 * What each of these nodes ran before the newest upgrade, by the journal. Throws OperatorError "refused" when none is
 * known.
 */
export async function formerReleases(
	context: OperationContext,
	nodes: readonly string[],
): Promise<Targets> {
	const operations = await listOperations(context);
	const newest = operations.find(
		({ record }) => record?.operation === "upgrade",
	);
	const releases = (newest?.record?.memo as { releases?: Targets } | undefined)
		?.releases;
	const unknown = nodes.filter((node) => releases?.[node] === undefined);
	if (releases !== undefined && unknown.length === 0)
		return Object.fromEntries(nodes.map((id) => [id, releases[id] ?? null]));
	throw new OperatorError(
		"refused",
		releases === undefined
			? "the journal knows no upgrade to go back from"
			: `the last upgrade did not touch ${unknown.join(", ")}`,
		{
			state: "nothing was touched",
			next: `${commandFor(context, "upgrade rollback --to VERSION")} names what to go back to`,
		},
	);
}
