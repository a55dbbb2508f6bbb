import type { Front } from "../../balancers/front.js";
import { haproxyFront } from "../../balancers/haproxy/front.js";
import { nginxFront } from "../../balancers/nginx/front.js";
import type { FrontBalancerEntry, Inventory } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";

export interface RenderedBalancer {
	readonly entry: FrontBalancerEntry;
	readonly front: Front;
}

/** The balancer whose configuration raftctl renders. Throws OperatorError "usage" where the cluster file names none. */
export function renderedBalancer(
	inventory: Inventory,
	openHost: OperationContext["machines"]["host"],
): RenderedBalancer {
	const { balancer: entry } = inventory;
	switch (entry?.kind) {
		case "haproxy":
			return { entry, front: haproxyFront(entry, openHost) };
		case "nginx":
			return { entry, front: nginxFront(entry, openHost) };
		default:
			throw new OperatorError("usage", whyNot[entry?.kind ?? "none"] ?? "", {
				state: "nothing was touched",
				next: "docs/balancer.md tells which kinds there are",
			});
	}
}

const whyNot: Readonly<Record<string, string>> = {
	none: "the cluster file names no balancer",
	embedded:
		"the embedded balancer has no configuration of its own to render: `raftctl up` writes it and starts it",
	command: "the balancer behind your command keeps its own configuration",
};
