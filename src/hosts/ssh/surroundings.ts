import type { Person } from "./destination.js";

/** What SSH needs of the person and the process, handed in: nothing here reads the environment. */
export interface SshSurroundings extends Person {
	/**
	 * The passphrase of a key file; null when there is none to be had. `again` after a wrong one. Asked once for all hosts
	 * that take this key, and only when one does.
	 */
	askPassphrase(
		file: string,
		again: boolean,
		signal: AbortSignal,
	): Promise<string | null>;
}
