import {
	type BytesOrText,
	decodeAnswer,
	decodeResult,
	encodeCommand,
	encodeQuery,
	type KeyValueAnswer,
	type KeyValueCommand,
	type KeyValueItem,
	type KeyValueResult,
} from "../machines/kv/codec.js";
import { MachineInputError } from "../machines/machine.js";
import { NotDoneError, OutcomeUnknownError } from "./failures.js";
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
			const answer = answerTo("get", result);
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
			const answer = answerTo("list", Buffer.from(result));
			return { items: [...answer.items], more: answer.more, ageMs };
		},
		watch({ onChange, onEnd, ...rest }) {
			let stranger: NotDoneError | null = null;
			const subscription = raft.subscribe({
				...rest,
				onEvent(index, event) {
					const change = changeOf(event);
					if (change !== null) return onChange(index, change);
					stranger = new NotDoneError(
						"unsupported",
						foreign(`the event at index ${index} is no change of a key`),
					);
					subscription.close();
				},
				onEnd: (error) => onEnd(error ?? stranger),
			});
			return subscription;
		},
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
	const decoded = readable(() => decodeResult(result));
	if (decoded?.op === "invalid")
		throw new NotDoneError("invalid", decoded.message, { attempts: 1 });
	// Whatever it was, it was executed.
	if (decoded?.op !== command.op)
		throw new OutcomeUnknownError(
			"unsupported",
			foreign(
				`asked for ${command.op} and was answered ${decoded?.op ?? "what cannot be read"}`,
			),
		);
	return decoded as ResultOf<Which>;
}

type AnswerTo<Which> = Extract<KeyValueAnswer<Buffer>, { op: Which }>;

function answerTo<Which extends "get" | "list">(
	asked: Which,
	bytes: Uint8Array,
): AnswerTo<Which> {
	const answer = readable(() => decodeAnswer(bytes));
	if (answer?.op === asked) return answer as AnswerTo<Which>;
	throw new NotDoneError(
		"unsupported",
		foreign(
			`asked for ${asked} and was answered ${answer?.op ?? "what cannot be read"}`,
		),
		{ attempts: 1 },
	);
}

/** Null for bytes that are none of the machine's words. */
function readable<Word>(decode: () => Word): Word | null {
	try {
		return decode();
	} catch (error) {
		if (error instanceof MachineInputError) return null;
		throw error;
	}
}

/** Null for what is no change. */
function changeOf(event: unknown): KeyValueChange | null {
	if (typeof event !== "object" || event === null) return null;
	const { op, key: keyJson, value: valueJson } = event as JsonFields;
	const key = bytesOrText(keyJson);
	const value = bytesOrText(valueJson);
	if (key === null) return null;
	if (op === "delete") return { op, key, value: null };
	return op === "put" && value !== null ? { op, key, value } : null;
}

type JsonFields = Readonly<Record<string, unknown>>;

/** Null for what is neither text nor base64. */
function bytesOrText(json: unknown): BytesOrText | null {
	if (typeof json === "string") return json;
	if (typeof json !== "object" || json === null) return null;
	const { base64 } = json as JsonFields;
	return typeof base64 === "string" ? Buffer.from(base64, "base64") : null;
}

function foreign(what: string): string {
	return `${what}: the cluster runs another machine than the key-value one`;
}
