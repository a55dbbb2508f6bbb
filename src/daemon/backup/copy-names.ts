import { createHash } from "node:crypto";

/** Whose copies they are: what their names are made of. */
export interface CopyOwner {
	/** The cluster's name. Another cluster may have the same. */
	readonly cluster: string;
	readonly clusterId: string;
	/** Who makes the copy now. */
	readonly node: string;
}

/** `<cluster>-<index>.snapshot`, also in a bucket. */
export function copyName({ cluster }: CopyOwner, index: number): string {
	return `${cluster}-${index}.snapshot`;
}

/** The index in a name that `copyName` gives for this cluster; null for any other name. */
export function copyIndex({ cluster }: CopyOwner, name: string): number | null {
	if (!name.startsWith(`${cluster}-`)) return null;
	// A cluster's name may end in digits, too: between its last dash and the suffix there is nothing but the index.
	const digits = /^([1-9]\d{0,14})\.snapshot$/.exec(
		name.slice(cluster.length + 1),
	);
	return digits === null ? null : Number(digits[1]);
}

/**
 * What is being written. It has the writer's name: where leadership moves in the middle and the directory is one for all
 * nodes, two nodes never write to one file.
 */
export function partName(owner: CopyOwner, index: number): string {
	return `${copyName(owner, index)}.${clusterTag(owner).slice(0, 8)}.${owner.node}.part`;
}

/** Who left a name that `partName` gives for this cluster, and of which index; null for any other name. */
export function partOf(
	owner: CopyOwner,
	name: string,
): { readonly writer: string; readonly index: number } | null {
	const parts = /^(.+\.snapshot)\.([0-9a-f]{8})\.(.+)\.part$/.exec(name);
	if (parts === null) return null;
	const [, copy = "", tag = "", writer = ""] = parts;
	if (tag !== clusterTag(owner).slice(0, 8)) return null;
	const index = copyIndex(owner, copy);
	return index === null ? null : { writer, index };
}

/** The cluster's id as text that fits everywhere: 64 hexadecimal digits. */
export function clusterTag({ clusterId }: CopyOwner): string {
	return createHash("sha256").update(clusterId).digest("hex");
}

/** All but the newest `keep`. The one at `made` is just made, and kept whatever the others are called. */
export function expendable<Copy extends { readonly index: number }>(
	copies: readonly Copy[],
	keep: number,
	made: number,
): Copy[] {
	return copies
		.toSorted((a, b) => b.index - a.index)
		.slice(Math.max(1, keep))
		.filter(({ index }) => index !== made);
}
