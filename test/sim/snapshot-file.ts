import type { SnapshotPoint } from "../../src/raft/types.js";
import type { RegisterMachine } from "./machine.js";

/** A snapshot on a disk, or on its way to one. */
export interface SnapshotFile {
	readonly point: SnapshotPoint;
	/** Never changed; whoever restores it takes a copy. */
	readonly state: RegisterMachine;
	/** Of the state when it was taken. */
	readonly digest: string;
}
