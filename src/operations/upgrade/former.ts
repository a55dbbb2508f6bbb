import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { listOperations, type OperationView } from "../operations.js";
import type { Targets } from "./goal.js";

/**
 * What these nodes ran before they were last upgraded, by the journal; where none are named, those that the newest upgrade
 * was for. Throws OperatorError "refused" when that is not known.
 */
export async function formerReleases(
	context: OperationContext,
	nodes: readonly string[],
): Promise<Targets> {
	// Newest first.
	const upgrades = (await listOperations(context)).flatMap(targetsBefore);
	const wanted =
		nodes.length === 0 ? Object.keys(upgrades[0] ?? {}) : [...nodes];
	const unknown = wanted.filter(
		(id) => !upgrades.some((each) => Object.hasOwn(each, id)),
	);
	if (wanted.length > 0 && unknown.length === 0)
		return Object.fromEntries(
			wanted.map((id) => {
				const newest = upgrades.find((each) => Object.hasOwn(each, id));
				return [id, newest?.[id] ?? null];
			}),
		);
	throw new OperatorError(
		"refused",
		wanted.length === 0
			? "the journal knows no upgrade to go back from"
			: `the journal knows no upgrade of ${unknown.join(", ")}`,
		{
			state: "nothing was touched",
			next: `${commandFor(context, "upgrade rollback --to VERSION")} names what to go back to`,
		},
	);
}

function targetsBefore({ record }: OperationView): Targets[] {
	if (record?.operation !== "upgrade") return [];
	const { releases } = record.memo as { readonly releases?: Targets };
	return releases === undefined ? [] : [releases];
}
