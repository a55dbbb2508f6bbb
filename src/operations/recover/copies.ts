import { dirname, join } from "node:path";
import type { OperationContext } from "../context.js";
import { doOn, isThere } from "../host-files.js";
import type { Run } from "../operation.js";
import type { Step } from "../steps/step.js";
import { isSilence } from "../wait.js";
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

/** Those that get the file. */
export function hostsOf(
	context: OperationContext,
	{ touched }: NewCluster,
): readonly string[] {
	const nodes = nodesOf(context, touched);
	return [...new Set(nodes.map(({ host }) => host))];
}

/** From one host to the next it comes by way of the operator's machine, which is none of them. */
export function passesHere(hosts: readonly string[]): boolean {
	return hosts.length > 1 && !hosts.includes("local");
}

/** Where the file lies, whole, on hosts that answer. */
export async function copiesOf(
	context: OperationContext,
	cluster: NewCluster,
): Promise<readonly FileCopy[]> {
	const copies: FileCopy[] = [];
	for (const host of hostsOf(context, cluster)) {
		const path = sourcePath(context, cluster, host);
		if (await isKeptOn(context, host, path)) copies.push({ host, path });
	}
	return copies;
}

export interface FileCopy {
	/** By its name in the cluster file. */
	readonly host: string;
	readonly path: string;
}

async function isKeptOn(
	{ machines }: OperationContext,
	host: string,
	path: string,
): Promise<boolean> {
	try {
		return await isThere(await machines.host(host), path);
	} catch (error) {
		if (isSilence(error)) return false;
		throw error;
	}
}

/** Whoever was cut off, and was followed by somebody on another machine, left it lying there: a sentence for each. */
export function leftElsewhere(
	{ context, attempts = [] }: Run,
	cluster: NewCluster,
): readonly string[] {
	if (!passesHere(hostsOf(context, cluster))) return [];
	const own = placeOf(context.holder.host, context.inventory.stateDirectory);
	const others = attempts.flatMap(({ host, stateDirectory }) =>
		stateDirectory === undefined ? [] : [placeOf(host, stateDirectory)],
	);
	return [...new Set(others)]
		.filter((place) => place !== own)
		.map(
			(place) =>
				`a copy of the state may be left as ${place}/restored/${cluster.clusterId}.snapshot: an earlier attempt ran there. Remove it`,
		);
}

function placeOf(host: string, directory: string): string {
	return `${host}:${directory}`;
}

/** Whoever is killed between the last copy and this leaves it to the next. */
export function tidyStep(context: OperationContext, cluster: NewCluster): Step {
	const names = hostsOf(context, cluster);
	const here = () => copiesOn(context, cluster, "local");
	return {
		...{ id: "cluster/tidy", node: null, cost: "", looks: true },
		title: "remove the file's copy from this machine",
		async isDone() {
			const copies = await copiesOf(context, cluster);
			// Before every host has its own there is one to come.
			return copies.length === names.length && (await here()).length === 0
				? "there is none"
				: null;
		},
		async run() {
			const local = await context.machines.host("local");
			for (const path of await here())
				await doOn(local, ["rm", "-f", path], { about: "local" });
			return null;
		},
	};
}

/** Removes what whoever was killed had copied only in part; nobody goes on with it. */
export function partsStep(
	context: OperationContext,
	cluster: NewCluster,
): Step {
	const names = hostsOf(context, cluster);
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
