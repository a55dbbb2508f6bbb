import type { CanaryRequests, Inventory } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";

/** What the canary asks, made ready to be sent. */
export interface HttpRequest {
	readonly method: "GET" | "POST";
	readonly path: string;
	readonly body: string | null;
}

/** The requests of one canary: it has a key of its own, and numbers what it writes. */
export interface CanaryScript {
	readonly key: string;
	write(number: number): HttpRequest;
	read(): HttpRequest;
	/** Null when nothing says how the key is deleted. */
	remove(): HttpRequest | null;
	/** The number of the write that an answer shows; null when it shows none. */
	numberIn(answer: string): number | null;
	/** False when what is written has no place for a value: then no answer can show whether a write was lost. */
	readonly readsBack: boolean;
}

const keyValueRequests: CanaryRequests = {
	write: {
		path: "/v1/command",
		body: '{"op":"put","key":"{key}","value":"{value}"}',
	},
	read: { path: "/v1/query", body: '{"op":"get","key":"{key}"}' },
	remove: { path: "/v1/command", body: '{"op":"delete","key":"{key}"}' },
};

/**
 * The requests for this cluster: the cluster file's, else the key-value machine's. Throws OperatorError "config" when the
 * cluster runs a machine of its own and nothing says what to ask it.
 */
export function canaryRequests({
	app,
	canary,
	source,
}: Pick<Inventory, "app" | "canary" | "source">): CanaryRequests {
	if (canary !== null) return canary;
	if (app === null) return keyValueRequests;
	throw new OperatorError(
		"config",
		"the cluster runs a machine of its own, and nothing says what a canary is to ask it",
		{
			state: "nothing was touched",
			next: `add a section "canary" to ${source} (docs/canary.md), or leave the canary and its budgets out`,
		},
	);
}

/** `id` is random, of lower-case letters and digits: no other canary's key or value may look like this one's. */
export function canaryScript(
	requests: CanaryRequests,
	id: string,
): CanaryScript {
	const key = `raftctl/canary/${id}`;
	const values = { key, value: "" };
	const { write, read, remove } = requests;
	const shown = new RegExp(`canary-${id}-(\\d+)`, "g");
	return {
		key,
		write: (number) =>
			filled(write, { key, value: `canary-${id}-${number}` }, "POST"),
		read: () => filled(read, values, "GET"),
		remove: () => (remove === null ? null : filled(remove, values, "POST")),
		numberIn: (answer) => {
			const numbers = [...answer.matchAll(shown)].map(([, text]) =>
				Number(text),
			);
			return numbers.length === 0 ? null : Math.max(...numbers);
		},
		readsBack: `${write.path}${write.body ?? ""}`.includes("{value}"),
	};
}

/** With a body it is a POST; without one, what is written is one all the same. */
function filled(
	{ path, body }: { readonly path: string; readonly body: string | null },
	{ key, value }: { readonly key: string; readonly value: string },
	method: "GET" | "POST",
): HttpRequest {
	const inUrl = (text: string) => encodeURIComponent(text);
	return {
		method: body === null ? method : "POST",
		path: path
			.replaceAll("{key}", inUrl(key))
			.replaceAll("{value}", inUrl(value)),
		body:
			body?.replaceAll("{key}", key).replaceAll("{value}", value) ??
			(method === "POST" ? "" : null),
	};
}
