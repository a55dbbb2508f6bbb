import { createAuthority, issueLeaf } from "../../certificates/issue.js";
import {
	readCertificates,
	writeCertificates,
} from "../../certificates/store.js";
import type { Inventory } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor } from "../context.js";
import {
	authorityWish,
	nodeWish,
	requireTls,
	roles,
	roleWish,
} from "./wishes.js";

export interface CertsInitReport {
	readonly operation: "certs init";
	readonly cluster: string;
	readonly directory: string;
	readonly nodes: readonly string[];
	readonly roles: readonly string[];
}

/** Makes the authority and everything that it issues, on this machine; no node is asked or told anything. */
export async function initCertificates(
	inventory: Inventory,
	unixMs: number,
): Promise<CertsInitReport> {
	const { directory } = requireTls(inventory);
	if ((await readCertificates(directory)) !== null)
		throw new OperatorError(
			"refused",
			`${directory} has certificates already`,
			{
				state: "nothing was written",
				next: `${commandFor({ inventory }, "certs renew")} issues new ones, ${commandFor({ inventory }, "certs rotate")} replaces the authority`,
			},
		);
	const authority = await createAuthority(authorityWish(inventory, unixMs));
	const nodes = new Map<string, string>();
	for (const node of inventory.nodes)
		nodes.set(
			node.id,
			await issueLeaf(authority, nodeWish(inventory, node, unixMs)),
		);
	const byRole = new Map<(typeof roles)[number], string>();
	for (const role of roles)
		byRole.set(
			role,
			await issueLeaf(authority, roleWish(inventory, role, unixMs)),
		);
	await writeCertificates(directory, { authority, nodes, roles: byRole });
	return {
		...{ operation: "certs init", cluster: inventory.name, directory },
		...{ nodes: [...nodes.keys()], roles },
	};
}
