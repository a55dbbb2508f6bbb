/**
 * Who a certificate speaks for: one URI among its alternative names. Addresses prove nothing here, as they move; the
 * cluster's id keeps two clusters of one authority apart.
 */
export type CertificateName = NodeName | RoleName;

export interface NodeName {
	readonly kind: "node";
	readonly clusterId: string;
	readonly node: string;
}

export interface RoleName {
	readonly kind: "role";
	readonly clusterId: string;
	readonly role: Role;
}

/** What an operator may do, least first: each may all that those before it may. */
export const roles = ["observer", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

export function isRole(text: string): text is Role {
	return (roles as readonly string[]).includes(text);
}

/** raftd://<cluster id>/node/<node id>, or raftd://<cluster id>/role/<role>. */
export function certificateUri(name: CertificateName): string {
	const last = name.kind === "node" ? name.node : name.role;
	const parts = [name.clusterId, name.kind, last].map(encodeURIComponent);
	return `raftd://${parts.join("/")}`;
}

/**
 * The name among a certificate's alternative names, as Node.js prints them ("DNS:a, URI:raftd://…"). Null for none, and
 * for more than one: nobody is two.
 */
export function certificateName(
	alternativeNames: string | undefined,
): CertificateName | null {
	// Node.js quotes a name that holds a comma; ours hold none, and a quoted one could pass for several.
	if (alternativeNames === undefined || alternativeNames.includes('"'))
		return null;
	const [name, ...more] = alternativeNames
		.split(", ")
		.filter((entry) => entry.startsWith(uriPrefix));
	return name === undefined || more.length > 0 ? null : parsed(name);
}

const uriPrefix = "URI:raftd://";

function parsed(entry: string): CertificateName | null {
	const parts = entry.slice(uriPrefix.length).split("/").map(decoded);
	const [clusterId, kind, last, ...rest] = parts;
	if (!clusterId || !last || rest.length > 0) return null;
	if (kind === "node") return { kind, clusterId, node: last };
	if (kind === "role" && isRole(last)) return { kind, clusterId, role: last };
	return null;
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return "";
	}
}
