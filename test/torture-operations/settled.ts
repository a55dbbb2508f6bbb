import { type Ground, type Place, pause } from "./ground.js";
import type { Members } from "./piece.js";
import {
	type Configuration,
	isView,
	type Look,
	lookAt,
	type NodeView,
	newestConfiguration,
} from "./view.js";

/** What keeps a cluster from being at rest, by kind; all empty when it is. */
export interface Unrest {
	/** Members that are drained still. */
	readonly drained: readonly string[];
	/** Who holds the lock still, or which operation is not finished. */
	readonly held: readonly string[];
	/** Members that do not answer, or see something else than the others. */
	readonly views: readonly string[];
}

const everyMs = 100;
/** On a machine that is busy with something else an answer takes its time; that says nothing of the cluster. */
const patience = { answerMs: 10_000, silenceMs: 240_000 };

/** Looks until the cluster is at rest, or the limit is over. Returns what is left, and who takes part. */
export async function settle(
	ground: Ground,
	limitMs: number,
): Promise<{ unrest: Unrest; members: Members }> {
	const sinceMs = performance.now();
	const look = (place: Place) => lookAt(place, patience.answerMs);
	for (;;) {
		const looks = await Promise.all(ground.places.map(look));
		const unrest = unrestOf(looks);
		const members = membersNow(looks);
		const isSilent = looks.includes("silent");
		const mostMs = isSilent ? Math.max(limitMs, patience.silenceMs) : limitMs;
		const isOver = isAtRest(unrest) || performance.now() - sinceMs > mostMs;
		if (isOver && members !== null) return { unrest, members };
		if (isOver) throw new Error("no node knows who takes part");
		await pause(everyMs);
	}
}

export function isAtRest({ drained, held, views }: Unrest): boolean {
	return drained.length + held.length + views.length === 0;
}

/** Pure, so that a test can show that it notices. */
export function unrestOf(looks: readonly Look[]): Unrest {
	const configuration = newestConfiguration(looks);
	if (configuration === null)
		return { drained: [], held: [], views: ["nobody answers"] };
	const views = looks.filter(isView);
	const members = views.filter(({ id }) =>
		configuration.members.some((member) => member.id === id),
	);
	return {
		drained: members.filter(({ draining }) => draining).map(({ id }) => id),
		held: members.flatMap(heldAt),
		views: differences(configuration, members),
	};
}

function heldAt({ id, lockHolder, operation }: NodeView): string[] {
	return [
		...(lockHolder === "" ? [] : [`${id} knows ${lockHolder} as the holder`]),
		...(operation === "" ? [] : [`${id} knows ${operation} as unfinished`]),
	];
}

function differences(
	{ index, members }: Configuration,
	views: readonly NodeView[],
): string[] {
	const silent = members
		.filter(({ id }) => !views.some((view) => view.id === id))
		.map(({ id }) => `${id} does not answer`);
	const words = views.map(({ term, leader, configuration }) =>
		JSON.stringify({ term, leader, configuration }),
	);
	const isJoint = members.some(({ role }) => role === "outgoing");
	return [
		...silent,
		...(new Set(words).size > 1 ? [...new Set(words)] : []),
		...(views.some(({ leader }) => leader === "") ? ["no leader"] : []),
		...(isJoint ? [`configuration ${index} is joint`] : []),
	];
}

/** Null when nobody knows. */
export function membersNow(looks: readonly Look[]): Members | null {
	const configuration = newestConfiguration(looks);
	if (configuration === null) return null;
	const ids = (role: string) =>
		configuration.members
			.filter((member) => member.role === role)
			.map(({ id }) => id);
	const leaders = looks.filter(isView).filter(({ role }) => role === "leader");
	const [leader] = leaders.sort((one, other) => other.term - one.term);
	return {
		voters: ids("voter"),
		learners: ids("learner"),
		leader: leader?.id ?? "",
	};
}
