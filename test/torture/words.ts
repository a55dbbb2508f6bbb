/** What the machine of the torture runs is told and asked, as JSON. Every key is of one kind, which its name begins with. */
export type Command = { readonly id: string; readonly key: string } & (
	| { readonly op: "write"; readonly value: number }
	| {
			readonly op: "swap";
			readonly expect: number | null;
			readonly value: number;
	  }
	| { readonly op: "append"; readonly element: number }
	| { readonly op: "increment" }
);

export type Query =
	| { readonly op: "read"; readonly key: string }
	/** The whole state in a few bytes: equal on all nodes at the same index. */
	| { readonly op: "digest" };

/** Told to subscribers by every command that changes something. */
export interface Change {
	readonly id: string;
	readonly key: string;
	/** What the key holds now; of a list the element that was appended. */
	readonly value: number;
}

/** Of an append the length after it, of an increment the value after it, of a swap whether it swapped. */
export type Result = boolean | number;

/** Of a register null at first, of a list its elements, of a counter its value. */
export type Value = number | null | readonly number[];
