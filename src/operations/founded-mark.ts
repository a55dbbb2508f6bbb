import { dirname, join } from "node:path";
import type { NodeEntry } from "../config/inventory.js";
import { reasonOf } from "../errors.js";
import type { OperationContext } from "./context.js";
import { throwIfEnded } from "./interruption.js";
import { nodeConfigPath } from "./node-config.js";

type Reach = Pick<OperationContext, "inventory" | "machines">;

const markMode = 0o600;

/** Beside node.yaml and not with the data: it is still there when the data's disk is not. `destroy` removes it. */
function markPath({ inventory }: Reach, node: NodeEntry): string {
	return join(dirname(nodeConfigPath(inventory, node)), "founded");
}

/** The nodes of the file that were up in this very cluster once. */
export async function onceUp(context: Reach): Promise<readonly NodeEntry[]> {
	const { nodes } = context.inventory;
	const marked = await Promise.all(
		nodes.map((node) => isMarked(context, node)),
	);
	return nodes.filter((_, at) => marked[at]);
}

/** Remembers that these nodes are up in this cluster. What cannot be written down is told, and no reason to fail. */
export async function markUp(
	context: Reach & Pick<OperationContext, "emit" | "signal">,
	nodes: readonly NodeEntry[],
): Promise<void> {
	const { inventory, machines, emit, signal } = context;
	await Promise.all(
		nodes.map(async (node) => {
			try {
				if (await isMarked(context, node)) return;
				const host = await machines.host(node.host);
				const text = Buffer.from(`${inventory.id}\n`);
				await host.upload(markPath(context, node), text, markMode);
			} catch (error) {
				throwIfEnded(signal);
				const message = `that ${node.id} is up could not be written down for a later up: ${reasonOf(error)}`;
				emit({ type: "warning", node: node.id, message });
			}
		}),
	);
}

async function isMarked(context: Reach, node: NodeEntry): Promise<boolean> {
	const { inventory, machines } = context;
	const host = await machines.host(node.host);
	const bytes = await host.read(markPath(context, node));
	if (bytes === null) return false;
	return Buffer.from(bytes).toString("utf8").trim() === inventory.id;
}
