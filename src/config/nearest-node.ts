import { nearest } from "../documents/nearest.js";
import type { Inventory } from "./inventory.js";

/**
 * The node of the cluster file that was most likely meant; null when none is near. Of n9, where there are n1 to n3, only
 * the user knows which was meant.
 */
export function nearestNode({ nodes }: Inventory, id: string): string | null {
	const letters = (word: string) => word.replace(/\d/g, "");
	const known = nodes
		.map((node) => node.id)
		.filter((one) => letters(one) !== letters(id));
	return nearest(id, known);
}
