import { issueLeaf } from "../../certificates/issue.js";
import {
	putLeaves,
	readCertificates,
	type StoredCertificates,
} from "../../certificates/store.js";
import type { CertificatesStatus } from "../../cluster/engine.js";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	callOptions,
	commandFor,
	type OperationContext,
	refOf,
} from "../context.js";
import { waitUntil } from "../wait.js";
import { type Bringing, bringing } from "./choice.js";
import { nodeTlsPaths } from "./node-paths.js";
import { nodeWish, requireTls } from "./wishes.js";

/** The key is in one of them: nobody else on the host may read it. */
const fileMode = 0o600;

/** How long a node may take to say that it uses what was put before it; it looks by itself about once a second. */
const settleTimeoutMs = 15_000;

/** Throws OperatorError "config" when there are no certificates yet. */
export async function requireCertificates(
	inventory: Inventory,
): Promise<StoredCertificates> {
	const { directory } = requireTls(inventory);
	const stored = await readCertificates(directory);
	if (stored !== null) return stored;
	throw new OperatorError(
		"config",
		`there are no certificates in ${directory}`,
		{
			state: "nothing was touched",
			next: commandFor({ inventory }, "certs init"),
		},
	);
}

/** A node that runs takes certificates up at once: it gets none where there are some, whatever they are. */
interface Delivery {
	readonly isRunning: boolean;
}

/**
 * Puts the node's certificates on its host, where those that lie there are missing or, if it does not run, older; one that
 * was never issued is issued now. Throws OperatorError "refused" where this machine's do not fit what lies there.
 */
export async function deliverCertificates(
	context: Pick<OperationContext, "inventory" | "machines" | "clock">,
	node: NodeEntry,
	delivery: Delivery,
): Promise<void> {
	const stored = await requireCertificates(context.inventory);
	const { ca, leaf } = await missingOf(context, node, { stored, ...delivery });
	await putOnHost(context, node, {
		...(ca === undefined ? {} : { ca }),
		...(leaf === undefined
			? {}
			: {
					leaf: leaf === "issue" ? await issueFor(context, node, stored) : leaf,
				}),
	});
}

/** Whether there is nothing to bring to the node's host. Touches nothing. */
export async function areDelivered(
	context: Pick<OperationContext, "inventory" | "machines">,
	node: NodeEntry,
	delivery: Delivery,
): Promise<boolean> {
	const stored = await requireCertificates(context.inventory);
	const missing = await missingOf(context, node, { stored, ...delivery });
	return Object.keys(missing).length === 0;
}

async function missingOf(
	{ inventory, machines }: Pick<OperationContext, "inventory" | "machines">,
	node: NodeEntry,
	{ stored, isRunning }: Delivery & { readonly stored: StoredCertificates },
): Promise<Bringing> {
	const host = await machines.host(node.host);
	const paths = nodeTlsPaths(inventory, node);
	const textAt = async (path: string) => {
		const bytes = await host.read(path);
		return bytes === null ? null : Buffer.from(bytes).toString("utf8");
	};
	const lying = { ca: await textAt(paths.ca), leaf: await textAt(paths.leaf) };
	if (isRunning && lying.ca !== null && lying.leaf !== null) return {};
	const { directory } = requireTls(inventory);
	return bringing(stored, lying, { id: node.id, directory, inventory });
}

/** Issues the node another one, for the addresses that it has in this cluster file. */
export async function issueAnew(
	context: Pick<OperationContext, "inventory" | "clock">,
	node: NodeEntry,
): Promise<void> {
	const stored = await requireCertificates(context.inventory);
	await issueFor(context, node, stored);
}

async function issueFor(
	{ inventory, clock }: Pick<OperationContext, "inventory" | "clock">,
	node: NodeEntry,
	{ authority }: StoredCertificates,
): Promise<string> {
	const { directory } = requireTls(inventory);
	if (authority === null)
		throw new OperatorError(
			"config",
			`${node.id} needs a certificate, and the authority's key is not in ${directory} to issue one`,
			{
				state: "nothing was touched",
				next: `${commandFor({ inventory }, "certs renew")} on the machine that has ca.key, then copy the directory without that file`,
			},
		);
	const wish = nodeWish(inventory, node, clock.unixMs());
	const leaf = await issueLeaf(authority, wish);
	await putLeaves(directory, { nodes: new Map([[node.id, leaf]]) });
	return leaf;
}

/** Each file replaced whole; only those that are given, and differ. */
export async function putOnHost(
	{ inventory, machines }: Pick<OperationContext, "inventory" | "machines">,
	node: NodeEntry,
	wanted: { readonly ca?: string; readonly leaf?: string },
): Promise<void> {
	const host = await machines.host(node.host);
	const paths = nodeTlsPaths(inventory, node);
	// Whom it believes first: a leaf of an authority that it does not know yet could not be taken up.
	for (const key of ["ca", "leaf"] as const) {
		const text = wanted[key];
		if (text === undefined) continue;
		const content = Buffer.from(text);
		const present = await host.read(paths[key]);
		if (present !== null && content.equals(present)) continue;
		await host.upload(paths[key], content, fileMode);
	}
}

/**
 * Until the node itself says that it uses what was put there. Throws OperatorError "timeout" with what it said last, and
 * "refused" when it cannot use the files.
 */
export async function awaitUse(
	context: OperationContext,
	node: NodeEntry,
	wait: {
		readonly name: string;
		readonly signal: AbortSignal;
		readonly uses: (certificates: CertificatesStatus) => boolean;
	},
): Promise<void> {
	const { engine } = context;
	const { name, signal, uses } = wait;
	await waitUntil(context, {
		...{ name, node: node.id, timeoutMs: settleTimeoutMs, signal },
		probe: async () =>
			uses(await engine.reloadCertificates(refOf(node), callOptions(signal)))
				? null
				: `${node.id} uses others yet`,
	});
}
