import { issueLeaf } from "../../certificates/issue.js";
import { fingerprintsIn, putLeaves } from "../../certificates/store.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError, reasonOf, remediesOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { nodeNamed } from "../node-named.js";
import { awaitUse, putOnHost, requireCertificates } from "./deliver.js";
import { nodeWish, requireTls, roles, roleWish } from "./wishes.js";

export interface CertsRenewReport {
	readonly operation: "certs renew";
	readonly cluster: string;
	/** Those that say they use their new certificate. */
	readonly renewed: readonly string[];
	/** Operators' certificates that were issued; empty when single nodes were named. */
	readonly roles: readonly string[];
}

/**
 * Issues new certificates and puts them before the nodes, one after the other, without a restart. It needs no quorum and
 * no lock, as it must work when certificates have expired and nobody believes anybody any more.
 */
export async function renewCertificates(
	context: OperationContext,
	{ nodes: named }: { readonly nodes: readonly string[] },
): Promise<CertsRenewReport> {
	const { inventory, signal, emit, clock } = context;
	const { directory } = requireTls(inventory);
	const { authority, bundle } = await requireCertificates(inventory);
	if (authority === null) throw keyMissing(directory);
	const nodes =
		named.length === 0
			? inventory.nodes
			: named.map((id) => nodeNamed(context, id));
	if (named.length === 0)
		for (const role of roles) {
			const wish = roleWish(inventory, role, clock.unixMs());
			const leaf = await issueLeaf(authority, wish);
			await putLeaves(directory, { roles: new Map([[role, leaf]]) });
		}
	const failures: unknown[] = [];
	const renewed: string[] = [];
	const renewNode = async (node: NodeEntry) => {
		const wish = nodeWish(inventory, node, clock.unixMs());
		const leaf = await issueLeaf(authority, wish);
		await putLeaves(directory, { nodes: new Map([[node.id, leaf]]) });
		await putOnHost(context, node, { ca: bundle, leaf });
		const [fingerprint] = fingerprintsIn(leaf);
		await awaitUse(context, node, {
			...{ name: `${node.id} to use its new certificate`, signal },
			uses: ({ leaf: used }) => used.fingerprint === fingerprint,
		});
		renewed.push(node.id);
	};
	for (const node of nodes) {
		throwIfEnded(signal);
		const step = { step: `${node.id}/renew`, node: node.id };
		const startedAt = clock.now();
		emit({ type: "step-started", ...step, title: "renew the certificate" });
		try {
			await renewNode(node);
			const durationMs = Math.round(clock.now() - startedAt);
			emit({ type: "step-finished", ...step, durationMs, note: null });
		} catch (error) {
			throwIfEnded(signal);
			emit({ type: "step-failed", ...step, reason: reasonOf(error) });
			// The others must not keep an old one because this node is down.
			failures.push(error);
		}
	}
	if (failures.length > 0) throw partly(context, renewed, failures);
	return {
		...{ operation: "certs renew", cluster: inventory.name, renewed },
		roles: named.length === 0 ? roles : [],
	};
}

export function keyMissing(directory: string): OperatorError {
	return new OperatorError(
		"refused",
		`the authority's key, ca.key, is not in ${directory}`,
		{
			state: "nothing was issued",
			next: "give the command on the machine where raftctl certs init was given",
		},
	);
}

function partly(
	context: OperationContext,
	renewed: readonly string[],
	failures: readonly unknown[],
): OperatorError {
	const remedies = remediesOf(failures).map((remedy) => `${remedy}; `);
	return new OperatorError(
		"partial",
		`${failures.length} of ${failures.length + renewed.length} nodes do not use their new certificates`,
		{
			problems: failures.map(reasonOf),
			state:
				"where a host was reached the new certificate lies there, and its node takes it up when it runs",
			next: `${remedies.join("")}${commandFor(context, "up")} starts what is down, ${commandFor(context, "certs status")} tells the rest; where a host was not reached, ${commandFor(context, "certs renew --node <id>")} again`,
			cause: failures[0],
		},
	);
}
