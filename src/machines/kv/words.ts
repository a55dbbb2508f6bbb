/**
 * The key-value machine's words in bytes (docs/client-api.md has the tables). Keys and values are any bytes; in what
 * is encoded here a string stands for its UTF-8. What is decoded are views, not copies. Every decoder throws
 * MachineInputError for bytes that are not exactly one of its words.
 *
 * A version is the raft index of the command that last changed the key.
 */
export type BytesOrText = Uint8Array | string;

export type KeyValueCommand<Bytes = Uint8Array> =
	| { readonly op: "put"; readonly key: Bytes; readonly value: Bytes }
	| { readonly op: "delete"; readonly key: Bytes }
	/** Writes only when the key's version is `expect`; null, or 0: only when there is no such key. */
	| {
			readonly op: "cas";
			readonly key: Bytes;
			readonly expect: number | null;
			readonly value: Bytes;
	  };

export type KeyValueQuery<Bytes = Uint8Array> =
	| { readonly op: "get"; readonly key: Bytes }
	/** Keys that begin with `prefix`, in the order of their bytes, behind `after`; at most `limit` (1 to 1000). */
	| {
			readonly op: "list";
			readonly prefix: Bytes;
			readonly limit: number;
			readonly after: Bytes | null;
	  };

export type KeyValueResult =
	| { readonly op: "put"; readonly version: number }
	| { readonly op: "delete"; readonly deleted: boolean }
	/** `version`: the key's after the command; 0 when there is no such key. */
	| { readonly op: "cas"; readonly swapped: boolean; readonly version: number }
	/** The command's bytes were none; nothing was changed. */
	| { readonly op: "invalid"; readonly message: string };

export interface KeyValueItem<Bytes = Uint8Array> {
	readonly key: Bytes;
	readonly value: Bytes;
	readonly version: number;
}

export type KeyValueAnswer<Bytes = Uint8Array> =
	| {
			readonly op: "get";
			readonly found: true;
			readonly value: Bytes;
			readonly version: number;
	  }
	| { readonly op: "get"; readonly found: false }
	/** `more`: further keys match; ask again with `after` set to the last one. */
	| {
			readonly op: "list";
			readonly items: readonly KeyValueItem<Bytes>[];
			readonly more: boolean;
	  };

export type KeyValueEvent<Bytes = Uint8Array> =
	| { readonly op: "put"; readonly key: Bytes; readonly value: Bytes }
	| { readonly op: "delete"; readonly key: Bytes };

export const maxListLimit = 1000;
