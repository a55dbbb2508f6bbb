import type { Disk } from "../disk.js";

/** Where a node's snapshots lie, and whose they are. */
export interface SnapshotPlace {
	readonly disk: Disk;
	/** The snapshots' own directory. */
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
}

/** `<index, 20 digits>-<id>.snapshot`: names sort by index. */
export function snapshotName(index: number, id: string): string {
	return `${String(index).padStart(20, "0")}-${id}.snapshot`;
}

/** What the name of a whole snapshot says of it; null for another name. */
export function nameParts(name: string): { index: number; id: string } | null {
	const parts = /^(\d{20})-([0-9a-f]{32})\.snapshot$/.exec(name);
	if (parts === null) return null;
	return { index: Number(parts[1]), id: parts[2] as string };
}

/** Being written here; worth nothing after a crash. */
export function temporaryName(id: string): string {
	return `${id}.tmp`;
}

/** Being received; worth keeping for the next attempt. */
export function partialName(id: string): string {
	return `${id}.part`;
}

/** Also of one whose name is spoilt: it is reported, not passed over. */
export function isSnapshot(name: string): boolean {
	return name.endsWith(".snapshot");
}

export function isTemporary(name: string): boolean {
	return /^[0-9a-f]{32}\.tmp$/.test(name);
}

export function isPartial(name: string): boolean {
	return /^[0-9a-f]{32}\.part$/.test(name);
}

export function isId(id: string): boolean {
	return /^[0-9a-f]{32}$/.test(id);
}
