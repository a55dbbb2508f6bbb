/** Notices when what waits for a client is not taken. */
export class StallWatch {
	#waiting = 0;
	#sinceMs = 0;

	/** How long nothing has moved, given the bytes that wait now; 0 when nothing waits. */
	stalledMs(waitingBytes: number, nowMs: number): number {
		if (waitingBytes === 0 || waitingBytes !== this.#waiting) {
			this.#waiting = waitingBytes;
			this.#sinceMs = nowMs;
		}
		return nowMs - this.#sinceMs;
	}
}
