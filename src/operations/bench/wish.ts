import type { Inventory } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { clientTls } from "../credentials.js";
import type { RaftdWish, TargetWish } from "./load.js";

/** Everything that any bench writes is below it. */
export const benchPrefix = "raftctl/bench/";

/** How the cluster of the cluster file is reached. Throws OperatorError "usage" where it has no keys to write. */
export function raftdWish(
	inventory: Inventory,
	options: Pick<RaftdWish, "endpoints" | "spread" | "consistency">,
): TargetWish {
	if (inventory.app !== null)
		throw new OperatorError(
			"usage",
			"bench writes keys of the key-value machine, and this cluster runs a machine of its own",
			{
				state: "nothing was touched",
				next: "load it through the client library (docs/client-library.md)",
			},
		);
	const { endpoints, spread, consistency } = options;
	const nodes = inventory.nodes.map(({ client }) => client);
	return {
		system: "raftd",
		endpoints: endpoints.length > 0 ? endpoints.map(requireAddress) : nodes,
		...{ spread, consistency, tls: clientTls(inventory)?.() ?? null },
	};
}

export function etcdWish(endpoints: readonly string[]): TargetWish {
	return { system: "etcd", endpoints: endpoints.map(requireAddress) };
}

function requireAddress(address: string): string {
	if (/^(\[[0-9a-fA-F:.]+\]|[^:/\s]+):\d{1,5}$/.test(address)) return address;
	throw new OperatorError("usage", `"${address}" is no address`, {
		state: "nothing was touched",
		next: "give host:port",
	});
}
