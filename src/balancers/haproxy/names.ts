/** What the parts of HAProxy's configuration are called that belong to a cluster. */
export interface SectionNames {
	/** The frontend, and the backend that has every node and asks them. */
	readonly main: string;
	/** The same nodes, for connections that move while an operator steers them. */
	readonly moved: string;
	/** The table whose one entry says that an operator steers, until it expires. */
	readonly lease: string;
}

export function sectionNames(cluster: string): SectionNames {
	const main = `raftctl-${cluster}`;
	return { main, moved: `${main}-moved`, lease: `${main}-lease` };
}

/** The key of the lease's entry. */
export const leaseKey = "preferred";

/** HAProxy forgets an entry by itself: what was steered by an operator who died is free again then. */
export const leaseMs = 15_000;
