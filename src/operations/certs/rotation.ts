import {
	fingerprintsIn,
	type StoredCertificates,
} from "../../certificates/store.js";
import type { CertificatesStatus } from "../../cluster/engine.js";

/** How far the replacement of the authority has come on the operator's machine. */
export type Phase =
	/** One authority, and nothing under way. */
	| "steady"
	/** There is a new one; the nodes are told to believe both. */
	| "trust"
	/** Both are believed; the nodes are given what the new one issues. */
	| "use"
	/** Everything in use is of the new one; the old is forgotten. */
	| "drop";

/** Follows from the files alone, wherever a rotation was cut off. Pure. */
export function phaseOf(stored: StoredCertificates): Phase {
	const { next, bundle, authority } = stored;
	if (next === null) return "steady";
	const [fingerprint = ""] = fingerprintsIn(next.certificate);
	if (!fingerprintsIn(bundle).includes(fingerprint)) return "trust";
	const [signs] =
		authority === null ? [] : fingerprintsIn(authority.certificate);
	return signs === fingerprint ? "drop" : "use";
}

/** Whether the node believes exactly these authorities, or, unless `only`, at least these. Pure. */
export function believes(
	{ authorities }: CertificatesStatus,
	wanted: readonly string[],
	{ only = false }: { readonly only?: boolean } = {},
): boolean {
	const believed = new Set(authorities.map(({ fingerprint }) => fingerprint));
	const all = wanted.every((fingerprint) => believed.has(fingerprint));
	return all && (!only || believed.size === new Set(wanted).size);
}

/** Whether the node shows this certificate to peers and operators. Pure. */
export function shows({ leaf }: CertificatesStatus, text: string): boolean {
	return leaf.fingerprint === fingerprintsIn(text)[0];
}
