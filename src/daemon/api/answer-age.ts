/** A whole number that any client can read: a node that never heard a leader has an age without end. */
export function wholeAgeMs(ageMs: number): number {
	return Math.min(Math.ceil(ageMs), 2 ** 32 - 1);
}
