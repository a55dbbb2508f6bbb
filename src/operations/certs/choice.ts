import type { X509Certificate } from "node:crypto";
import {
	certificatesIn,
	fingerprintOf,
	isSignedBy,
} from "../../certificates/examine.js";
import type { StoredCertificates } from "../../certificates/store.js";
import type { Inventory } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor } from "../context.js";

/** PEM texts as they lie on a node's host; null for what does not. */
export interface Lying {
	readonly ca: string | null;
	readonly leaf: string | null;
}

/** What is to be put there; left out where it stays as it is. "issue" where there is none yet and the key is here. */
export interface Bringing {
	readonly ca?: string;
	readonly leaf?: string | "issue";
}

interface Whose {
	readonly id: string;
	/** Of this machine's certificates. */
	readonly directory: string;
	readonly inventory: Inventory;
}

/**
 * What a node that starts gets of this machine's certificates. These may be older copies: nothing newer is replaced by
 * them, and no authority comes back that a rotation has retired. Throws OperatorError "refused" where they do not fit
 * what lies there. Pure.
 */
export function bringing(
	stored: Pick<StoredCertificates, "bundle" | "authority" | "nodes">,
	lying: Lying,
	{ id, directory, inventory }: Whose,
): Bringing {
	const there = authoritiesIn(lying.ca);
	const ours = authoritiesIn(stored.bundle);
	const isBundleNewer = supersedes(ours, there);
	if (isBundleNewer === null)
		throw unfit(
			{ id, inventory },
			`${directory}/ca.crt`,
			`lacks an authority that ${id} has`,
		);
	const believed = isBundleNewer ? ours : there;
	const ca = isBundleNewer ? { ca: stored.bundle } : {};
	const fits = (one: X509Certificate | null): one is X509Certificate =>
		one !== null && believed.some((authority) => isSignedBy(one, authority));
	const present = certificateIn(lying.leaf);
	const text = stored.nodes.get(id);
	if (text === undefined)
		return stored.authority === null && fits(present)
			? ca
			: { ...ca, leaf: "issue" };
	const own = certificateIn(text);
	const isKept =
		text === lying.leaf ||
		(fits(present) && (!fits(own) || isOlder(own, present)));
	if (isKept) return ca;
	if (fits(own)) return { ...ca, leaf: text };
	throw unfit(
		{ id, inventory },
		`${directory}/nodes/${id}.pem`,
		`is signed by no authority that ${id} believes`,
	);
}

/**
 * Whether the first bundle is to take the other's place: it adds a newer authority, and drops none. Null where each lacks
 * one of the other's. To forget an authority is the rotation's business, which knows that nobody shows it any more.
 */
function supersedes(
	ours: readonly X509Certificate[],
	there: readonly X509Certificate[],
): boolean | null {
	const added = without(ours, there);
	if (added.length === 0) return false;
	if (without(there, ours).length > 0) return null;
	return added.some((one) => there.every((other) => !isOlder(one, other)));
}

function without(
	some: readonly X509Certificate[],
	others: readonly X509Certificate[],
): readonly X509Certificate[] {
	const known = new Set(others.map(fingerprintOf));
	return some.filter((one) => !known.has(fingerprintOf(one)));
}

function isOlder(one: X509Certificate, other: X509Certificate): boolean {
	return Date.parse(one.validFrom) < Date.parse(other.validFrom);
}

function certificateIn(text: string | null): X509Certificate | null {
	return authoritiesIn(text)[0] ?? null;
}

/** None in what nobody can read: it is replaced. */
function authoritiesIn(text: string | null): readonly X509Certificate[] {
	try {
		return certificatesIn(text ?? "");
	} catch {
		return [];
	}
}

function unfit(
	{ id, inventory }: Pick<Whose, "id" | "inventory">,
	path: string,
	what: string,
): OperatorError {
	const command = (words: string) => commandFor({ inventory }, words);
	return new OperatorError("refused", `${path} ${what}`, {
		node: id,
		state: `the certificates on the host of ${id} are as they were`,
		next: `${command("certs status")}, here and on the machine that has ca.key; copy ca.crt and nodes from there. Where an authority was made anew on purpose, ${command("certs renew")} brings it`,
	});
}
