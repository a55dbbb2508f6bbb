import type { Operation } from "./operation.js";

/**
 * What one key does when only one client uses it. States must be equal exactly when they are identical (`===`): numbers,
 * strings, or objects of which there is one for each state.
 */
export interface Model<State, Input, Output> {
	readonly name: string;
	readonly initial: State;
	/**
	 * The state after `input`; `impossible` when it cannot have that output here. Null stands for an output that nobody
	 * heard: whatever it was, it was possible.
	 */
	step(
		state: State,
		input: Input,
		told: Told<Output> | null,
	): State | typeof impossible;
	/** With that output it changes nothing, whatever the state is. */
	changesNothing(input: Input, told: Told<Output> | null): boolean;
	/** The same history, without the choices that what was told has decided already. */
	withKnown?(operations: readonly Operation[]): readonly Operation[];
	/** Inputs with the same name have the same effects. */
	nameOf(input: Input): string;
	describe(input: Input, told: Told<Output> | null): string;
}

export interface Told<Output> {
	readonly output: Output;
}

export const impossible = Symbol("impossible");

// biome-ignore lint/suspicious/noExplicitAny: a history is checked by whichever model its key belongs to
export type AnyModel = Model<any, any, any>;
