import { join } from "node:path";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { configDifferences, nodeConfigPath } from "../node-config.js";
import { wantedNodeConfig } from "../node-service.js";
import { type HostSurvey, parseSurvey, surveyScript } from "./survey-script.js";
import { isInside } from "./unit.js";

const surveyTimeoutMs = 60_000;

/** A host with what was found there. */
export interface Found {
	readonly host: string;
	readonly nodes: readonly NodeEntry[];
	readonly survey: HostSurvey;
	readonly files: ReadonlyMap<string, NodeFiles>;
}

/** What lies in a node's directories, as the daemon's account sees it. */
export interface NodeFiles {
	/** The clusters that they say they are of. */
	readonly clusterIds: readonly string[];
	readonly hasConfig: boolean;
	/** Whether a node that runs would be another with the node.yaml that is wanted now. */
	readonly isStale: boolean;
	/** It waits to be added, or is a member already: it never founds anything. */
	readonly joins: boolean;
	readonly hasData: boolean;
	/** Of a data directory elsewhere: whether the daemon may write there. */
	readonly dataFault: string | null;
}

/** A host that could not be looked at. */
export interface Unknown {
	readonly host: string;
	readonly error: unknown;
}

/** Looks at all hosts of these nodes at once. A dead one costs its limit, not the others' findings. */
export async function surveyHosts(
	context: OperationContext,
	nodes: readonly NodeEntry[],
): Promise<{
	readonly found: readonly Found[];
	readonly unknown: readonly Unknown[];
}> {
	const names = [...new Set(nodes.map(({ host }) => host))];
	const outcomes = await Promise.allSettled(
		names.map((host) =>
			surveyHost(context, {
				host,
				nodes: nodes.filter((node) => node.host === host),
			}),
		),
	);
	throwIfEnded(context.signal);
	return {
		found: outcomes.flatMap((one) =>
			one.status === "fulfilled" ? [one.value] : [],
		),
		unknown: outcomes.flatMap((one, at) =>
			one.status === "rejected"
				? [{ host: names[at] ?? "", error: one.reason as unknown }]
				: [],
		),
	};
}

async function surveyHost(
	context: OperationContext,
	{ host: name, nodes }: Pick<Found, "host" | "nodes">,
): Promise<Found> {
	const { inventory, machines, signal } = context;
	const host = await machines.host(name, "login");
	const ids = nodes.map(({ id }) => id);
	const { user, directory, state } = inventory.deploy;
	const { exitCode, stdout, stderr } = await host.run(
		[
			...["sh", "-c", surveyScript, "survey"],
			...[inventory.name, user, directory, state, ...ids],
		],
		{ timeoutMs: surveyTimeoutMs, signal },
	);
	if (exitCode !== 0)
		throw new OperatorError(
			"refused",
			`the host could not be looked at: ${stderr.trim().split("\n").at(-1) || `exit code ${exitCode}`}`,
			{
				...{ node: name, state: "nothing was touched" },
				next: "it must be a Linux machine with systemd",
			},
		);
	const survey = parseSurvey(stdout, ids);
	const files = await Promise.all(
		nodes.map(async (node) => [
			node.id,
			isReadable(survey) ? await filesOf(context, node) : noFiles,
		]),
	);
	return {
		host: name,
		...{ nodes, survey },
		files: new Map(files as [string, NodeFiles][]),
	};
}

function isReadable({ accountGroup, state, denied }: HostSurvey): boolean {
	return accountGroup !== null && state !== null && !denied.includes("daemon");
}

const noFiles: NodeFiles = {
	...{ clusterIds: [], hasConfig: false, isStale: false, joins: false },
	...{ hasData: false, dataFault: null },
};

async function filesOf(
	context: OperationContext,
	node: NodeEntry,
): Promise<NodeFiles> {
	const { inventory, machines } = context;
	const host = await machines.host(node.host);
	const [config, identity] = await Promise.all([
		host.read(nodeConfigPath(inventory, node)),
		host.read(join(node.dataDirectory, "identity.json")),
	]);
	const { cluster, join: joins } = await settingsOf(config);
	const owner = identityOf(identity);
	return {
		clusterIds: [cluster?.id, owner].flatMap((id) =>
			typeof id === "string" ? [id] : [],
		),
		hasConfig: config !== null,
		isStale: config !== null && (await isStale(context, node, config)),
		joins: joins === true,
		hasData: identity !== null,
		dataFault: await dataFaultOf(context, node),
	};
}

async function isStale(
	context: OperationContext,
	node: NodeEntry,
	config: Uint8Array,
): Promise<boolean> {
	const wanted = await wantedNodeConfig(context, node, config);
	return (await configDifferences(config, wanted)).length > 0;
}

interface Settings {
	readonly cluster?: { readonly id?: unknown };
	readonly join?: unknown;
}

async function settingsOf(content: Uint8Array | null): Promise<Settings> {
	if (content === null) return {};
	const { parse } = await import("yaml");
	try {
		const value: unknown = parse(Buffer.from(content).toString("utf8"));
		return typeof value === "object" && value !== null ? value : {};
	} catch {
		return {};
	}
}

function identityOf(content: Uint8Array | null): unknown {
	if (content === null) return null;
	try {
		return JSON.parse(Buffer.from(content).toString("utf8")).clusterId;
	} catch {
		return null;
	}
}

async function dataFaultOf(
	{ inventory, machines }: OperationContext,
	{ host: name, id, dataDirectory }: NodeEntry,
): Promise<string | null> {
	if (isInside(join(inventory.deploy.state, id), dataDirectory)) return null;
	const host = await machines.host(name);
	const { exitCode } = await host.run(
		["sh", "-c", '[ -d "$1" ] && [ -w "$1" ]', "look", dataDirectory],
		{ timeoutMs: surveyTimeoutMs },
	);
	return exitCode === 0 ? null : dataDirectory;
}

/** Where things lie that more than one cluster must not share. */
export function foreignIds(
	{ id }: Pick<Inventory, "id">,
	{ clusterIds }: NodeFiles,
): readonly string[] {
	return [...new Set(clusterIds)].filter((one) => one !== id);
}
