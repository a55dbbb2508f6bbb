import { dirname, join } from "node:path";
import type { OperationContext } from "../context.js";
import { doOn } from "../host-files.js";
import type { Step } from "../steps/step.js";
import { type NewCluster, nodesOf, sourcePath } from "./new-cluster.js";

/** The file that the new cluster comes from and what became only a part of it, on that host; absolute. */
export async function copiesOn(
	context: OperationContext,
	cluster: NewCluster,
	name: string,
): Promise<readonly string[]> {
	const host = await context.machines.host(name);
	const directory = dirname(sourcePath(context, cluster, name));
	const { stdout } = await host.run(["ls", "-A", directory], {
		timeoutMs: lookTimeoutMs,
	});
	return stdout
		.split("\n")
		.filter((found) => found.startsWith(`${cluster.clusterId}.snapshot`))
		.map((found) => join(directory, found));
}

const lookTimeoutMs = 30_000;

/** Removes what whoever was killed had copied only in part; nobody goes on with it. */
export function partsStep(
	context: OperationContext,
	cluster: NewCluster,
): Step {
	const nodes = nodesOf(context, cluster.touched);
	const names = [...new Set(nodes.map(({ host }) => host))];
	// On its way from one host to the next it lies on this machine, too.
	const places = [...new Set([...names, "local"])];
	const partsOn = async (name: string) =>
		(await copiesOn(context, cluster, name)).filter(
			(path) =>
				!names.includes(name) || path !== sourcePath(context, cluster, name),
		);
	return {
		...{ id: "cluster/parts", node: null, cost: "", looks: true },
		title: "remove what was copied only in part",
		async isDone() {
			const found = await Promise.all(places.map(partsOn));
			return found.flat().length === 0 ? "there is none" : null;
		},
		async run() {
			for (const name of places) {
				const host = await context.machines.host(name);
				for (const path of await partsOn(name))
					await doOn(host, ["rm", "-f", path], { about: name });
			}
			return null;
		},
	};
}
