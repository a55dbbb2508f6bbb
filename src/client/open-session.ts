/** Results that a session keeps; so many sequence numbers may be beyond the acknowledged one. */
export const maxUnacknowledged = 1024;

/** A session of the cluster's: which sequence numbers are taken, and up to where the answers are known. */
export class OpenSession {
	readonly id: number;
	readonly ttlMs: number;
	#next = 1;
	/** In rising order: numbers are taken in order, and one comes back only while there is no other. */
	readonly #outstanding = new Set<number>();

	constructor(id: number, ttlMs: number) {
		this.id = id;
		this.ttlMs = ttlMs;
	}

	/** What became of all commands up to here is known. Below every outstanding number. */
	get acknowledged(): number {
		const [lowest] = this.#outstanding;
		return (lowest ?? this.#next) - 1;
	}

	get isIdle(): boolean {
		return this.#outstanding.size === 0;
	}

	/** Whether the session can keep the result of another command. */
	get hasRoom(): boolean {
		return this.#next - this.acknowledged <= maxUnacknowledged;
	}

	/** The number of the next command. */
	begin(): number {
		const sequence = this.#next++;
		this.#outstanding.add(sequence);
		return sequence;
	}

	/** Its fate is known, or of no interest any more. */
	end(sequence: number): void {
		this.#outstanding.delete(sequence);
	}

	/** The command with this number goes out once more. Only while the session is idle. */
	repeat(sequence: number): void {
		this.#outstanding.add(sequence);
	}
}
