import type { NotDoneReason } from "../client/index.js";
import type { KeyValueClient } from "../client/kv.js";
import type { Inventory } from "../config/inventory.js";
import { type ErrorKind, OperatorError, reasonOf } from "../errors.js";
import { commandFor } from "./context.js";
import { clientTls } from "./credentials.js";
import { nodeNamed } from "./node-named.js";

export interface KeyValueTarget {
	readonly inventory: Inventory;
	/** Ask this node itself; null for the balancer, or any node where there is none. */
	readonly node: string | null;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
}

export interface ReadOptions {
	readonly consistency: "linearizable" | "stale";
	/** Wait until this index is applied; 0 for no wait. */
	readonly minIndex: number;
}

/** Text where the bytes were UTF-8, else their base64. */
export type Shown = string | { readonly base64: string };

export interface ShownItem {
	readonly key: Shown;
	readonly value: Shown;
	readonly version: number;
}

/** Writes a key; with `expect` only when its version is that one, 0 meaning: only when there is no such key. */
export async function putKey(
	target: KeyValueTarget,
	key: string,
	{ value, expect }: { readonly value: string; readonly expect: number | null },
): Promise<{ key: string; written: boolean; version: number }> {
	requireKey(key);
	requireText("value", value);
	return withClient(target, async (client, { timeoutMs }) => {
		if (expect === null) {
			const { version } = await client.put(key, value, { timeoutMs });
			return { key, written: true, version };
		}
		const swap = { key, expect: expect === 0 ? null : expect, value };
		const { swapped, version } = await client.cas(swap, { timeoutMs });
		return { key, written: swapped, version };
	});
}

export async function getKey(
	target: KeyValueTarget,
	key: string,
	options: ReadOptions,
): Promise<{ key: string; found: boolean; value?: Shown; version?: number }> {
	requireKey(key);
	return withClient(target, async (client, { timeoutMs }) => {
		const item = await client.get(key, { ...options, timeoutMs });
		if (item === null) return { key, found: false };
		const { value, version } = item;
		return { key, found: true, value: shown(value), version };
	});
}

export async function deleteKey(
	target: KeyValueTarget,
	key: string,
): Promise<{ key: string; deleted: boolean }> {
	requireKey(key);
	return withClient(target, async (client, { timeoutMs }) => {
		const { deleted } = await client.delete(key, { timeoutMs });
		return { key, deleted };
	});
}

export function listKeys(
	target: KeyValueTarget,
	range: {
		readonly prefix: string;
		readonly limit: number;
		/** Go on behind this key; null for the beginning. */
		readonly after: string | null;
	},
	options: ReadOptions,
): Promise<{ items: ShownItem[]; more: boolean }> {
	return withClient(target, async (client, { timeoutMs }) => {
		const { prefix, limit, after } = range;
		const { items, more } = await client.list(
			{ prefix, limit, ...(after !== null && { after }) },
			{ ...options, timeoutMs },
		);
		return {
			items: items.map(({ key, value, version }) => ({
				key: shown(key),
				value: shown(value),
				version,
			})),
			more,
		};
	});
}

function requireKey(key: string): void {
	if (key === "") {
		throw new OperatorError("usage", "the key is empty", {
			state: "nothing was asked of any node",
			next: "name a key",
		});
	}
	requireText("key", key);
}

/**
 * Node.js decodes arguments as UTF-8 and puts U+FFFD where that fails: what would be written is not what was typed, and
 * different keys would become the same.
 */
function requireText(what: string, text: string): void {
	if (!text.includes("\uFFFD")) return;
	throw new OperatorError("usage", `the ${what} is not UTF-8 text`, {
		state: "nothing was asked of any node",
		next: "use the client library for other bytes (docs/client-library.md)",
	});
}

async function withClient<Result>(
	target: KeyValueTarget,
	use: (client: KeyValueClient, target: KeyValueTarget) => Promise<Result>,
): Promise<Result> {
	const { connectKeyValue } = await import("../client/kv.js");
	const endpoints = endpointsOf(target);
	const { timeoutMs, signal } = target;
	signal.throwIfAborted();
	const tls = clientTls(target.inventory);
	const client = connectKeyValue({
		...{ endpoints, timeoutMs },
		...(tls === undefined ? {} : { tls }),
	});
	try {
		return await Promise.race([use(client, target), aborted(signal)]);
	} catch (error) {
		throw await explained(error, target, endpoints);
	} finally {
		// An interrupted request may stay unanswered for its whole time; nobody waits for it.
		if (!signal.aborted) await client.close();
	}
}

function endpointsOf({ inventory, node }: KeyValueTarget): string[] {
	const { balancer, nodes } = inventory;
	if (node === null)
		return balancer === null
			? nodes.map(({ client }) => client)
			: [balancer.listen];
	return [nodeNamed({ inventory }, node).client];
}

function aborted(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		signal.addEventListener("abort", () => reject(signal.reason), {
			once: true,
		});
	});
}

const kinds: Readonly<Record<NotDoneReason, ErrorKind>> = {
	overloaded: "timeout",
	"too-large": "usage",
	invalid: "usage",
	"no-leader": "timeout",
	stopping: "timeout",
	lost: "timeout",
	timeout: "timeout",
	unknown: "unexpected",
	unreachable: "unreachable",
	unsupported: "unexpected",
	"session-expired": "unexpected",
	"session-misused": "unexpected",
	level: "unexpected",
	clock: "unreachable",
	"too-many": "unexpected",
	closed: "unexpected",
};

/** What the client library throws, as an operator's error: done or not is what matters. */
async function explained(
	error: unknown,
	target: KeyValueTarget,
	endpoints: readonly string[],
): Promise<unknown> {
	const { NotDoneError, OutcomeUnknownError } = await import(
		"../client/failures.js"
	);
	if (error instanceof NotDoneError) {
		const kind = kinds[error.reason];
		return new OperatorError(kind, reasonOf(error), {
			...(kind === "unreachable" && {
				problems: [`tried ${endpoints.join(", ")}`],
			}),
			state: "nothing was changed",
			...(kind !== "usage" && { next: commandFor(target, "status") }),
			cause: error,
		});
	}
	if (error instanceof OutcomeUnknownError)
		return new OperatorError("unexpected", reasonOf(error), {
			state: "it may or may not have been written",
			next: `read the key before writing it again: ${commandFor(target, "kv get KEY")}`,
			cause: error,
		});
	return error;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function shown(bytes: Uint8Array): Shown {
	try {
		return utf8.decode(bytes);
	} catch {
		return { base64: Buffer.from(bytes).toString("base64") };
	}
}
