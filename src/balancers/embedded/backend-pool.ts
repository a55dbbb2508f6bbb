import type { BackendStatus } from "../balancer.js";
import { chooseBackend } from "./choose-backend.js";
import type { BackendEntry } from "./config.js";

export type BackendState = BackendStatus["state"];

interface PoolOptions {
	readonly backends: readonly BackendEntry[];
	/** Monotonic milliseconds. */
	readonly now: () => number;
	readonly onChange: (status: BackendStatus) => void;
}

/** What is known of the nodes and who gets the next connection. No sockets, no timers. */
export class BackendPool {
	#backends: readonly Backend[];
	/** Nodes that were taken out, as long as connections to them are open. */
	readonly #leaving = new Set<Backend>();
	readonly #now: () => number;
	readonly #onChange: (status: BackendStatus) => void;
	#choices = 0;
	#preferred: ReadonlySet<string> = new Set();
	#preferredUntil = 0;
	#waiting: (() => void)[] = [];

	constructor({ backends, now, onChange }: PoolOptions) {
		this.#backends = backends.map((entry) => new Backend(entry));
		this.#now = now;
		this.#onChange = onChange;
	}

	/** Other nodes from now on: whoever stays keeps its state and its connections, whoever goes gets no new ones. */
	replace(entries: readonly BackendEntry[]): void {
		const staying = entries.map(
			(entry) =>
				this.#backends.find((backend) => isSame(backend.entry, entry)) ??
				new Backend(entry),
		);
		for (const backend of this.#backends)
			if (!staying.includes(backend) && backend.connections > 0)
				this.#leaving.add(backend);
		this.#backends = staying;
	}

	/** Takes the best node that is not in `tried` and counts a connection to it, until `release`. */
	take(tried: ReadonlySet<string>): BackendEntry | null {
		const preferred = this.preferred();
		const chosen = chooseBackend(this.#backends, {
			preferred: new Set(preferred),
			tried,
		});
		if (chosen === null) return null;
		chosen.connections++;
		chosen.chosenAt = ++this.#choices;
		return chosen.entry;
	}

	/** `entry` as `take` gave it. */
	release(entry: BackendEntry): void {
		const backend = [...this.#backends, ...this.#leaving].find(
			(one) => one.entry === entry,
		);
		if (backend === undefined) throw new Error(`no backend ${entry.node}`);
		backend.connections--;
		if (backend.connections === 0) this.#leaving.delete(backend);
	}

	/** What a check, or an attempt to connect, found. */
	report(node: string, state: BackendState, reason: string): void {
		const backend = this.#backends.find((one) => one.node === node);
		// A check, or an attempt to connect, that began before it was taken out.
		if (backend === undefined) return;
		const changed = backend.state !== state;
		backend.state = state;
		backend.reason = state === "up" ? "" : reason;
		if (!changed) return;
		this.#onChange(backend.status());
		if (state === "up") for (const wake of this.#waiting.splice(0)) wake();
	}

	/** Resolves when the next node comes up, or when `signal` is aborted. */
	nextUp(signal: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			if (signal.aborted) return resolve();
			const wake = () => {
				signal.removeEventListener("abort", give);
				resolve();
			};
			const give = () => {
				this.#waiting = this.#waiting.filter((other) => other !== wake);
				resolve();
			};
			signal.addEventListener("abort", give, { once: true });
			this.#waiting.push(wake);
		});
	}

	/** Returns the names that are no node here; if there are any, nothing changes. */
	prefer(nodes: readonly string[], leaseMs: number): readonly string[] {
		const unknown = nodes.filter(
			(node) => !this.#backends.some((backend) => backend.node === node),
		);
		if (unknown.length > 0) return unknown;
		this.#preferred = new Set(nodes);
		this.#preferredUntil = this.#now() + leaseMs;
		return [];
	}

	/** Who is preferred now; nobody once the lease is over. */
	preferred(): readonly string[] {
		return this.#now() < this.#preferredUntil ? [...this.#preferred] : [];
	}

	statuses(): readonly BackendStatus[] {
		return this.#backends.map((backend) => backend.status());
	}
}

function isSame(a: BackendEntry, b: BackendEntry): boolean {
	return a.node === b.node && a.client === b.client && a.admin === b.admin;
}

class Backend {
	readonly entry: BackendEntry;
	state: BackendState = "down";
	reason = "not checked yet";
	connections = 0;
	chosenAt = 0;

	constructor(entry: BackendEntry) {
		this.entry = entry;
	}

	get node(): string {
		return this.entry.node;
	}

	get admitting(): boolean {
		return this.state === "up";
	}

	status(): BackendStatus {
		const { node, admitting, state, connections, reason } = this;
		return { node, admitting, state, connections, reason };
	}
}
