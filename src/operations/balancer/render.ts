import type { Inventory } from "../../config/inventory.js";
import { renderedBalancer } from "./rendered.js";

export interface RenderReport {
	readonly kind: string;
	readonly hosts: readonly string[];
	/** Where it goes on each of them. */
	readonly path: string;
	readonly text: string;
}

/** The balancer's configuration as the cluster file has it. Asks nobody. */
export function renderBalancer(inventory: Inventory): RenderReport {
	const nobody = () => Promise.reject(new Error("nobody is asked"));
	const { entry, front } = renderedBalancer(inventory, nobody);
	return {
		kind: entry.kind,
		hosts: entry.hosts,
		path: front.path,
		text: front.render(inventory),
	};
}
