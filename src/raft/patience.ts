import type { Configuration, NodeId } from "./types.js";

/** Beyond the time for which a leader counts on its voters, whose clocks and last words from it differ a little (P35). */
const firstTurn = 0.04;
const turn = 0.06;
const jitter = 0.03;

/**
 * How long a voter bears the silence of the leader that it last heard, in election timeouts; `random` is in [0, 1). In
 * turn, in the order of their names: the first to miss it asks alone, and gets its votes before the next one asks. With
 * random times alone (section 5.2 of the paper) two that ask at once split the vote, unless they are spread so far apart
 * that the cluster is without a leader for much longer. Where turns do not help, as the first cannot be elected, the
 * random times of its next attempts do.
 */
export function patience(
	{ voters, outgoing }: Configuration,
	self: NodeId,
	leader: NodeId,
	random: number,
): number {
	let before = 0;
	const goesFirst = (id: NodeId) => id < self && id !== leader;
	for (const id of voters) if (goesFirst(id)) before++;
	// While it is joint, those who go may campaign as well (paper, section 6).
	for (const id of outgoing)
		if (goesFirst(id) && !voters.includes(id)) before++;
	return 1 + firstTurn + before * turn + random * jitter;
}
