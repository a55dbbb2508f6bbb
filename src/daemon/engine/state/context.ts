import type { ApplyContext } from "../../../machines/machine.js";

/** The compiler does not watch over a machine that comes as a file of its own. */
export function bytesFrom(told: unknown): Uint8Array {
	if (told instanceof Uint8Array) return told;
	throw new TypeError("it gave no bytes");
}

/** One for all entries, as a machine does not keep it. */
export class Context implements ApplyContext {
	index = 0;
	level = 0;
	event: Uint8Array | null = null;

	begin(index: number, level: number): void {
		this.index = index;
		this.level = level;
		this.event = null;
	}

	/** Bound, as a machine may take it out of its context. */
	readonly emit = (event: Uint8Array): void => {
		if (this.event !== null)
			throw new Error("a command emits at most one event");
		this.event = bytesFrom(event);
	};
}
