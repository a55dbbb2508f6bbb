import type {
	Caller,
	HttpAnswer,
	OpenCaller,
} from "../../src/operations/canary/caller.js";
import type { HttpRequest } from "../../src/operations/canary/requests.js";
import type { FakeCluster } from "./fake-cluster.js";

const latencyMs = 2;

/** Clients of the bundled key-value machine over a FakeCluster, in its time: without a leader answers have to wait. */
export class FakeFront {
	readonly keys = new Map<string, string>();
	readonly calls: HttpRequest[] = [];
	/** Addresses of each client that was opened. */
	readonly opened: (readonly string[])[] = [];
	/** Asked for each request: an answer in place of the true one, null for that. */
	answer: (wish: HttpRequest) => HttpAnswer | null = () => null;
	readonly #cluster: FakeCluster;

	constructor(cluster: FakeCluster) {
		this.#cluster = cluster;
	}

	readonly open: OpenCaller = (addresses): Caller => {
		this.opened.push(addresses);
		return {
			connections: 1,
			call: (wish, limits) => this.#call(wish, limits),
			close: () => undefined,
		};
	};

	async #call(
		wish: HttpRequest,
		limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
	): Promise<HttpAnswer> {
		const { clock } = this.#cluster;
		this.calls.push(wish);
		const beganAtMs = clock.now();
		await clock.sleep(latencyMs, limits.signal);
		const instead = this.answer(wish);
		if (instead !== null) return instead;
		for (;;) {
			this.#cluster.advance();
			if (this.#cluster.leader !== null) break;
			if (clock.now() - beganAtMs >= limits.timeoutMs)
				throw new Error(`no answer within ${limits.timeoutMs} ms`);
			await clock.sleep(latencyMs, limits.signal);
		}
		return { status: 200, body: this.#execute(wish) };
	}

	#execute({ body }: HttpRequest): string {
		const { op, key, value } = JSON.parse(body ?? "") as {
			op: "put" | "get" | "delete";
			key: string;
			value: string;
		};
		if (op === "put") this.keys.set(key, value);
		if (op === "delete") this.keys.delete(key);
		return JSON.stringify({ answer: { value: this.keys.get(key) } });
	}
}
