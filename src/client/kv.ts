import {
	type BytesOrText,
	decodeAnswer,
	decodeResult,
	encodeCommand,
	encodeQuery,
	type KeyValueCommand,
	type KeyValueItem,
	type KeyValueResult,
} from "../machines/kv/codec.js";
import { NotDoneError } from "./failures.js";
import {
	type CommandOptions,
	type ConnectOptions,
	connectRaft,
	type QueryOptions,
	type RaftClient,
} from "./raft-client.js";
import type { SubscribeOptions, Subscription } from "./subscription.js";

/** Text where the bytes were UTF-8, bytes else. */
export interface KeyValueChange {
	readonly op: "put" | "delete";
	readonly key: BytesOrText;
	/** Null for a delete. */
	readonly value: BytesOrText | null;
}

export interface WatchOptions extends Omit<SubscribeOptions, "onEvent"> {
	/** In order of index, each exactly once. */
	onChange(index: number, change: KeyValueChange): void;
}

type WriteOptions = Omit<CommandOptions, "ack">;

/** The bundled key-value machine. Keys and values are bytes; a string stands for its UTF-8. */
export interface KeyValueClient {
	/** The version is the raft index of the change. */
	put(
		key: BytesOrText,
		value: BytesOrText,
		options?: WriteOptions,
	): Promise<{ version: number }>;
	get(
		key: BytesOrText,
		options?: QueryOptions,
	): Promise<{
		value: Buffer;
		version: number;
		/** Of a stale read, see Answer; 0 else. */
		ageMs: number | null;
	} | null>;
	delete(
		key: BytesOrText,
		options?: WriteOptions,
	): Promise<{ deleted: boolean }>;
	/** Writes only when the key's version is `expect`; null: only when there is no such key. */
	cas(
		swap: { key: BytesOrText; expect: number | null; value: BytesOrText },
		options?: WriteOptions,
	): Promise<{ swapped: boolean; version: number }>;
	/** In the order of the keys' bytes; at most `limit`, 100 by default and 1000 at most. */
	list(
		range: { prefix?: BytesOrText; limit?: number; after?: BytesOrText },
		options?: QueryOptions,
	): Promise<{
		items: KeyValueItem<Buffer>[];
		more: boolean;
		ageMs: number | null;
	}>;
	watch(options: WatchOptions): Subscription;
	readonly raft: RaftClient;
	close(): Promise<void>;
}

export function connectKeyValue(options: ConnectOptions): KeyValueClient {
	return keyValueOver(connectRaft(options));
}

/** Speaks the key-value machine's words over a client that there is already. */
export function keyValueOver(raft: RaftClient): KeyValueClient {
	return {
		raft,
		close: () => raft.close(),
		async put(key, value, options) {
			const { version } = await execute(
				raft,
				{ op: "put", key, value },
				options,
			);
			return { version };
		},
		async delete(key, options) {
			const { deleted } = await execute(raft, { op: "delete", key }, options);
			return { deleted };
		},
		async cas(swap, options) {
			const { swapped, version } = await execute(
				raft,
				{ op: "cas", ...swap },
				options,
			);
			return { swapped, version };
		},
		async get(key, options) {
			const { result, ageMs } = await raft.query(
				encodeQuery({ op: "get", key }),
				options,
			);
			const answer = decodeAnswer(result);
			if (answer.op !== "get") throw foreign("get", answer.op);
			if (!answer.found) return null;
			// A copy: a small value must not keep alive the large chunk that it arrived in.
			const { version } = answer;
			return { value: Buffer.from(answer.value), version, ageMs };
		},
		async list({ prefix = "", limit = 100, after }, options) {
			const query = encodeQuery({
				op: "list",
				prefix,
				limit,
				after: after ?? null,
			});
			const { result, ageMs } = await raft.query(query, options);
			const answer = decodeAnswer(Buffer.from(result));
			if (answer.op !== "list") throw foreign("list", answer.op);
			return { items: [...answer.items], more: answer.more, ageMs };
		},
		watch: ({ onChange, ...rest }) =>
			raft.subscribe({
				...rest,
				onEvent: (index, event) => onChange(index, changeOf(event)),
			}),
	};
}

type Op = KeyValueCommand["op"];
type ResultOf<Which extends Op> = Extract<KeyValueResult, { op: Which }>;

async function execute<Which extends Op>(
	raft: RaftClient,
	command: Extract<KeyValueCommand<BytesOrText>, { op: Which }>,
	options?: WriteOptions,
): Promise<ResultOf<Which>> {
	const { result } = await raft.command(encodeCommand(command), {
		...options,
		ack: "apply",
	});
	const decoded = decodeResult(result);
	if (decoded.op === "invalid")
		throw new NotDoneError("invalid", decoded.message, { attempts: 1 });
	if (decoded.op !== command.op) throw foreign(command.op, decoded.op);
	return decoded as ResultOf<Which>;
}

function changeOf(event: unknown): KeyValueChange {
	const { op, key, value } = event as {
		op: KeyValueChange["op"];
		key: JsonBytes;
		value?: JsonBytes;
	};
	return {
		op,
		key: bytesOrText(key),
		value: value === undefined ? null : bytesOrText(value),
	};
}

type JsonBytes = string | { readonly base64: string };

function bytesOrText(value: JsonBytes): BytesOrText {
	return typeof value === "string"
		? value
		: Buffer.from(value.base64, "base64");
}

function foreign(asked: string, answered: string): Error {
	return new Error(
		`asked for ${asked} and was answered ${answered}: the cluster runs another machine than the key-value one`,
	);
}
