import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { listOperations, type OperationView } from "../operations.js";
import { currentRelease } from "../releases/installed.js";
import type { Targets } from "./goal.js";

/**
 * What these nodes ran before they were last upgraded, by the journal; where none are named, those that the newest upgrade
 * was for. Throws OperatorError "refused" when that is not known.
 */
export async function formerReleases(
	context: OperationContext,
	nodes: readonly string[],
): Promise<Targets> {
	const views = await listOperations(context);
	const former = formerOf(views, nodes, await nextReleases(context));
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

/** What each node starts with; without a key for one whose host does not tell. */
async function nextReleases(context: OperationContext): Promise<Targets> {
	const found = await Promise.all(
		context.inventory.nodes.map(async (node) => {
			try {
				const release = await currentRelease(context, node);
				return [[node.id, release?.version ?? null] as const];
			} catch (error) {
				throwIfEnded(context.signal);
				if (error instanceof OperatorError) return [];
				throw error;
			}
		}),
	);
	return Object.fromEntries(found.flat());
}

/**
 * `views` newest first; `next`: what each node starts with, as far as that is known. Has no key for a node of which nothing
 * is known. Who went back already goes no further: given again, a rollback has nothing to do. Pure.
 */
export function formerOf(
	views: readonly Pick<OperationView, "record" | "state">[],
	nodes: readonly string[],
	next: Targets,
): Targets {
	const changes = views.flatMap((view) => changeOf(view, next));
	const newestUpgrade = changes.find(({ isBack }) => !isBack) ?? changes[0];
	const wanted = nodes.length > 0 ? nodes : (newestUpgrade?.nodes ?? []);
	return Object.fromEntries(
		wanted.flatMap((id) => {
			const newest = changes.find(({ back }) => Object.hasOwn(back, id));
			return newest === undefined ? [] : [[id, newest.back[id] ?? null]];
		}),
	);
}

interface Change {
	readonly isBack: boolean;
	/** What it was for. */
	readonly nodes: readonly string[];
	/** What those go back to; without a key for one that it found as it wanted it. */
	readonly back: Targets;
}

function changeOf(
	{ record, state }: Pick<OperationView, "record" | "state">,
	next: Targets,
): Change[] {
	// What failed had not touched anything.
	if (record === null || state === "failed") return [];
	const { releases } = record.memo as { readonly releases?: Targets };
	const { targets = {} } = record.arguments as { readonly targets?: Targets };
	const isBack = record.operation === "upgrade rollback";
	if (!isBack && record.operation !== "upgrade") return [];
	if (releases === undefined) return [];
	const moved = Object.entries(releases).filter(
		([id, before]) => before !== (targets[id] ?? null),
	);
	// Given up before it came to the first node, or after the first was taken back: it is as if it had never been.
	const isThere = ([id]: readonly [string, unknown]) =>
		!Object.hasOwn(next, id) || next[id] === (targets[id] ?? null);
	if (state === "aborted" && !moved.some(isThere)) return [];
	const back = isBack ? targets : Object.fromEntries(moved);
	return [{ isBack, nodes: Object.keys(releases), back }];
}
