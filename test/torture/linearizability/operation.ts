/**
 * One call of one client, as the client saw it. Times are of one monotonic clock, in milliseconds; two calls of which
 * neither ended before the other began are concurrent, and equal times count as that.
 */
export interface Operation<Input = unknown, Output = unknown> {
	readonly client: string;
	readonly input: Input;
	readonly startedAtMs: number;
	readonly ending: Ending<Output>;
}

export type Ending<Output = unknown> =
	| {
			readonly kind: "done";
			readonly atMs: number;
			readonly output: Output;
	  }
	/** It certainly never took effect. */
	| { readonly kind: "failed"; readonly atMs: number }
	/** It may take effect at any time after its start, once, or never. */
	| { readonly kind: "unknown"; readonly atMs: number };

/** Whoever gives up waiting knows no more than when the run ended: an open call is an unknown one. */
export function endOf({ ending }: Operation): number {
	return ending.kind === "done" ? ending.atMs : Number.POSITIVE_INFINITY;
}
