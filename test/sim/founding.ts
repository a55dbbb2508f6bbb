import type { Configuration } from "../../src/raft/types.js";
import { addressOf } from "./changes.js";
import type { WorldOptions } from "./options.js";
import type { Strangers } from "./strangers.js";

/** Who founds the cluster. */
export function foundingConfiguration(
	{ voters, learners }: WorldOptions,
	strangers: Strangers,
): Configuration {
	const names = (count: number) =>
		Array.from({ length: count }, () => strangers.newName());
	const configuration = {
		voters: names(voters),
		outgoing: [],
		learners: names(learners),
	};
	const addresses = Object.fromEntries(
		[...configuration.voters, ...configuration.learners].map((id) => [
			id,
			addressOf(id, 1),
		]),
	);
	return { ...configuration, addresses };
}
