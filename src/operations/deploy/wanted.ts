import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { problemsOf } from "./chains.js";
import { type Fault, hostFaults, releaseFaults, unitFaults } from "./faults.js";
import { chooseRelease, type Offer } from "./release.js";
import { type Found, surveyHosts } from "./survey.js";
import { readUnitTemplate, renderUnit } from "./unit.js";

/** How things are on the hosts, and what they are to have. */
export interface Wanted {
	readonly found: readonly Found[];
	/** Null where no node needs a release, and none was named. */
	readonly offer: Offer | null;
	/** Of each node; null where it is as it is to be. */
	readonly units: ReadonlyMap<string, string | null>;
	/** Nodes that are to start with the offered release. */
	readonly switches: ReadonlySet<string>;
	/** Nodes that have another release than the one that was named: that takes an upgrade. */
	readonly otherRelease: readonly string[];
	/** Nodes that run with an older unit or configuration than they are to have. */
	readonly restarts: readonly string[];
}

interface LookWish {
	/** As it was named; null where none was. */
	readonly release: string | null;
	/** As it was chosen already. */
	readonly offer?: Offer | null;
}

/**
 * Looks at all hosts of these nodes and says what they lack; touches nothing on them. Throws OperatorError with everything
 * that stands in the way, on every host.
 */
export async function lookAtHosts(
	context: OperationContext,
	nodes: readonly NodeEntry[],
	{ release, offer: known }: LookWish,
): Promise<Wanted> {
	const { inventory } = context;
	const { found, unknown } = await surveyHosts(context, nodes);
	const faults = found.flatMap((one) => hostFaults(inventory, one));
	if (unknown.length > 0 || faults.length > 0) {
		const [first] = unknown;
		const isAlone = unknown.length === 1 && faults.length === 0;
		if (isAlone && first !== undefined) throw first.error;
		throw notReady(context, [
			...unknown.flatMap(problemsOf),
			...linesOf(faults),
		]);
	}
	const offer =
		known === undefined ? await chooseRelease(context, found, release) : known;
	const units = await unitsOf(context, found);
	const late = found.flatMap((one) => [
		...unitFaults(inventory, one, units),
		...(offer === null
			? []
			: releaseFaults(one, offer.manifest, offer.archiveBytes)),
	]);
	if (late.length > 0) throw notReady(context, linesOf(late));
	const version = offer?.manifest.version ?? null;
	return {
		...{ found, offer, units },
		switches: new Set(
			version === null ? [] : nodesThat(found, takesRelease(version)),
		),
		otherRelease:
			version === null || release === null
				? []
				: nodesThat(found, keepsOther(version)),
		restarts: nodesThat(
			found,
			(one, id) =>
				one.survey.nodes.get(id)?.runs === true &&
				(units.get(id) !== null || one.files.get(id)?.isStale === true),
		),
	};
}

async function unitsOf(
	{ inventory, programs }: OperationContext,
	found: readonly Found[],
): Promise<ReadonlyMap<string, string | null>> {
	const template = await readUnitTemplate(programs);
	return new Map(
		found.flatMap(({ nodes, survey }) =>
			nodes.map((node): [string, string | null] => {
				const text = renderUnit(template, inventory, node);
				const present = survey.nodes.get(node.id)?.unit ?? null;
				return [node.id, present === text ? null : text];
			}),
		),
	);
}

type Judge = (found: Found, id: string) => boolean;

function nodesThat(found: readonly Found[], holds: Judge): string[] {
	return found.flatMap((one) =>
		one.nodes.map(({ id }) => id).filter((id) => holds(one, id)),
	);
}

/** One that has data may have written what another release cannot read: that is for `upgrade` to see. */
function takesRelease(version: string): Judge {
	return ({ survey, files }, id) => {
		const seen = survey.nodes.get(id);
		if (seen?.current === version) return false;
		const isNew = seen?.runs !== true && files.get(id)?.hasData !== true;
		return seen?.current == null || isNew;
	};
}

function keepsOther(version: string): Judge {
	return (found, id) =>
		found.survey.nodes.get(id)?.current !== version &&
		!takesRelease(version)(found, id);
}

function linesOf(faults: readonly Fault[]): string[] {
	return faults.map(({ host, what, remedy }) => `${host}: ${what}; ${remedy}`);
}

function notReady(
	context: OperationContext,
	problems: readonly string[],
): OperatorError {
	return new OperatorError("refused", "not every host can be deployed to", {
		problems,
		state: "nothing was touched",
		next: `mend that, then ${commandFor(context, "deploy")}; --node leaves hosts out`,
	});
}
