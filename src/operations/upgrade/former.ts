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
	const former = formerOf(await listOperations(context), nodes);
	const unknown = nodes.filter((id) => !Object.hasOwn(former, id));
	if (Object.keys(former).length > 0 && unknown.length === 0) return former;
	throw new OperatorError(
		"refused",
		unknown.length === 0
			? "the journal knows no upgrade to go back from"
			: `the journal knows no upgrade of ${unknown.join(", ")}`,
		{
			state: "nothing was touched",
			next: `${commandFor(context, "upgrade rollback --to VERSION")} names what to go back to`,
		},
	);
}

/** `views` newest first. Has no key for a node of which nothing is known. Pure. */
export function formerOf(
	views: readonly Pick<OperationView, "record" | "state">[],
	nodes: readonly string[],
): Targets {
	const upgrades = views.flatMap(releasesOf);
	const wanted =
		nodes.length > 0 ? nodes : Object.keys(upgrades[0]?.before ?? {});
	return Object.fromEntries(
		wanted.flatMap((id) => {
			// One that found the node upgraded already has nothing to go back to.
			const newest = upgrades.find(
				({ before, targets }) =>
					Object.hasOwn(before, id) && before[id] !== targets[id],
			);
			return newest === undefined ? [] : [[id, newest.before[id] ?? null]];
		}),
	);
}

interface Upgraded {
	readonly before: Targets;
	readonly targets: Targets;
}

function releasesOf({
	record,
	state,
}: Pick<OperationView, "record" | "state">): Upgraded[] {
	// What failed had not touched anything.
	if (record?.operation !== "upgrade" || state === "failed") return [];
	const { releases } = record.memo as { readonly releases?: Targets };
	const { targets = {} } = record.arguments as { readonly targets?: Targets };
	return releases === undefined ? [] : [{ before: releases, targets }];
}
