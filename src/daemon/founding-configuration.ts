import type { Configuration } from "../raft/types.js";
import type { NodeConfig } from "./config.js";

/** The first configuration of a cluster, the same on every node: incarnations are not known yet. */
export function foundingConfiguration({
	members,
}: Pick<NodeConfig, "members">): Configuration {
	const ids = (role: string) =>
		members
			.filter((member) => member.role === role)
			.map((member) => member.id)
			.sort();
	return {
		voters: ids("voter"),
		outgoing: [],
		learners: ids("learner"),
		addresses: Object.fromEntries(
			members.map(({ id, peer, client, admin }) => [
				id,
				{ peer, client, admin },
			]),
		),
	};
}
