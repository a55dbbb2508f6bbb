import { reasonOf } from "../../errors.js";
import { splitAddress } from "../address.js";
import { type Asker, askerOf, type Trust } from "./asker.js";
import type { BackendPool, BackendState } from "./backend-pool.js";
import type { BackendEntry, EmbeddedConfig } from "./config.js";

/** Set by raftd on every answer to /readyz. */
const stateHeader = "raftd-state";
const bodyLimitBytes = 4 * 1024;
/** Room for several checks: the one that tells most need not come first. */
const reasonCharacters = 400;

/** So many checks in a row without a word, and the node is taken for frozen, or out of reach. */
export const silentChecks = 5;
/** A timeout that comes so much too late says of the balancer itself that it was away. */
const ownDelayMs = 250;

interface Finding {
	readonly state: BackendState;
	readonly reason: string;
	/** Nothing came in time: neither an answer nor a refusal. */
	readonly silent: boolean;
}

export interface Watches {
	/** These nodes from now on. */
	replace(backends: readonly BackendEntry[]): void;
	end(): void;
}

interface WatchOptions
	extends Pick<EmbeddedConfig, "checkIntervalMs" | "checkTimeoutMs"> {
	readonly backends: readonly BackendEntry[];
	readonly pool: BackendPool;
	/** Absent: nodes are asked in plain text. */
	readonly trust?: Trust | null;
	/** A node has been silent for `silentChecks` checks, or for another one since. */
	readonly onSilent: (node: string) => void;
}

/** Asks every node again and again and tells the pool. */
export function watchReadiness(options: WatchOptions): Watches {
	const watches = new Map<string, () => void>();
	const replace = (backends: readonly BackendEntry[]) => {
		const wanted = new Map(backends.map((one) => [JSON.stringify(one), one]));
		for (const [key, end] of watches) {
			if (wanted.has(key)) continue;
			end();
			watches.delete(key);
		}
		for (const [key, backend] of wanted)
			if (!watches.has(key)) watches.set(key, watchOne(backend, options));
	};
	replace(options.backends);
	return {
		replace,
		end: () => {
			for (const end of watches.values()) end();
		},
	};
}

function watchOne(
	{ node, admin }: BackendEntry,
	options: WatchOptions,
): () => void {
	const { checkIntervalMs, checkTimeoutMs, pool, onSilent } = options;
	const asker = askerOf(node, options.trust ?? null);
	let timer: NodeJS.Timeout | null = null;
	let ended = false;
	let silences = 0;
	const check = async () => {
		const begunAt = performance.now();
		const { state, reason, silent } = await checkReadiness(
			admin,
			asker,
			checkTimeoutMs,
		);
		if (ended) return;
		// One bad answer is enough: a connection that this node could have had goes to another one.
		pool.report(node, state, reason);
		const wasAway = performance.now() - begunAt > checkTimeoutMs + ownDelayMs;
		if (!silent) silences = 0;
		else if (!wasAway) silences += 1;
		if (silences >= silentChecks) onSilent(node);
		const restMs = checkIntervalMs - (performance.now() - begunAt);
		timer = setTimeout(check, Math.max(restMs, 1));
	};
	void check();
	return () => {
		ended = true;
		if (timer !== null) clearTimeout(timer);
		asker.close();
	};
}

/** One GET /readyz at `admin` (host:port). Never rejects: a failure is a finding. */
function checkReadiness(
	admin: string,
	asker: Asker,
	timeoutMs: number,
): Promise<Finding> {
	return new Promise((resolve) => {
		const { host, port } = splitAddress(admin);
		const failed = (error: Error) =>
			resolve({ state: "down", ...describe(error, timeoutMs) });
		const signal = AbortSignal.timeout(timeoutMs);
		asker
			.get({ host, port, path: "/readyz", signal }, (response) => {
				let body = "";
				response.setEncoding("utf8");
				response.on("data", (chunk: string) => {
					if (body.length < bodyLimitBytes) body += chunk;
				});
				response.once("error", failed);
				response.once("end", () =>
					resolve({
						...judge(response.headers[stateHeader], body),
						silent: false,
					}),
				);
			})
			.then((request) => request.once("error", failed), failed);
	});
}

function judge(
	header: string | string[] | undefined,
	body: string,
): Omit<Finding, "silent"> {
	if (header === "ready") return { state: "up", reason: "" };
	if (header === "draining") return { state: "drain", reason: "draining" };
	if (header === "unready")
		return { state: "down", reason: `unready: ${failedChecks(body)}` };
	return {
		state: "down",
		reason: "what answers at the admin address is no raftd",
	};
}

/** The checks that failed, as /readyz lists them among those that hold; else the first line that says anything. */
function failedChecks(body: string): string {
	const lines = body
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "");
	const failed = lines.flatMap((line) => {
		const parts = /^\[-\](\S+) failed: (.*)$/.exec(line);
		return parts === null ? [] : [`${parts[1]}: ${parts[2]}`];
	});
	const said = failed.length > 0 ? failed.join("; ") : lines[0];
	return said?.slice(0, reasonCharacters) ?? "no reason given";
}

function describe(
	error: Error,
	timeoutMs: number,
): Pick<Finding, "reason" | "silent"> {
	if (error.name === "AbortError" || error.name === "TimeoutError")
		return { reason: `no answer within ${timeoutMs} ms`, silent: true };
	const { code } = error as NodeJS.ErrnoException;
	const reason = code === "ECONNREFUSED" ? "nobody listens" : reasonOf(error);
	return { reason, silent: false };
}
