import { connectKeyValue } from "../../src/client/index.js";

/** A key-value client that speaks text, as tests do. */
export function connectKv(endpoints: readonly string[]) {
	const client = connectKeyValue({ endpoints, timeoutMs: 10_000 });
	return {
		put: (key: string, value: string) => client.put(key, value),
		get: async (key: string) =>
			(await client.get(key))?.value.toString() ?? null,
		close: () => client.close(),
	};
}
