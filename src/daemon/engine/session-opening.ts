/** Far longer than any change of leader takes, and short enough that what clients leave behind does not pile up. */
export const sessionTtlMs = 10 * 60_000;

const beginning = Buffer.from('{"type":"open-session"');

/** The control command that opens a session; by this node's clock. */
export function openSessionCommand(nowMs: number): Uint8Array {
	const command = { type: "open-session", ttlMs: sessionTtlMs, nowMs };
	return Buffer.from(JSON.stringify(command));
}

/**
 * Of control commands only this one is sent by clients, and as many as they like. It must not have the room that is kept
 * for the operator: the lock has to stay renewable while they do.
 */
export function opensSession(command: Uint8Array): boolean {
	return (
		command.length >= beginning.length &&
		beginning.equals(command.subarray(0, beginning.length))
	);
}
