import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../../errors.js";
import { splitAddress } from "../address.js";
import type { BackendStatus } from "../balancer.js";
import { adminServer } from "./admin-server.js";
import { BackendPool } from "./backend-pool.js";
import type { EmbeddedConfig } from "./config.js";
import { keepAliveMs, Placement } from "./placement.js";
import { type Watches, watchReadiness } from "./readiness.js";
import { relay } from "./relay.js";

export interface EmbeddedServer {
	/** Stops accepting, lets connections go on for up to the configured time, then cuts what is left. */
	close(): Promise<{ readonly cut: number }>;
}

export interface Diagnostics {
	/** A node came up, went down or drains. */
	onBackend(status: BackendStatus): void;
	/** A connection was closed because no node would have it. */
	onUnplaced(): void;
	/** Connections to a node that says nothing any more were reset, so that they begin anew elsewhere. */
	onLeft(node: string, connections: number): void;
	/** One connection could not be accepted, for want of file descriptors for example; the next one may be. */
	onAcceptError(error: Error): void;
}

/** Starts the balancer; `reread` gives it its nodes when it is told to reload. Throws OperatorError "refused" when an address cannot be listened on. */
export async function startEmbedded(
	config: EmbeddedConfig,
	diagnostics: Diagnostics,
	reread: () => Promise<Pick<EmbeddedConfig, "backends">> = async () => config,
): Promise<EmbeddedServer> {
	const pool = new BackendPool({
		backends: config.backends,
		now: () => performance.now(),
		onChange: diagnostics.onBackend,
	});
	const front = new Front(config, pool, diagnostics);
	let watches: Watches | null = null;
	const admin = adminServer({
		...{ pool, counts: () => front.counts() },
		async reload() {
			const { backends } = await reread();
			pool.replace(backends);
			watches?.replace(backends);
		},
	});
	await listen(admin, config.admin, "its admin port");
	try {
		await listen(front.server, config.listen, "its clients' port");
	} catch (error) {
		admin.close();
		throw error;
	}
	front.server.on("error", diagnostics.onAcceptError);
	const { checkIntervalMs, checkTimeoutMs, backends } = config;
	watches = watchReadiness({
		...{ checkIntervalMs, checkTimeoutMs, backends, pool },
		trust:
			config.tls === undefined
				? null
				: { ca: config.tls.ca, clusterId: config.cluster.id },
		onSilent: (node) => front.leave(node),
	});
	return {
		async close() {
			const cut = await front.close();
			watches?.end();
			admin.close();
			admin.closeAllConnections();
			return { cut };
		},
	};
}

/** The clients' side: accepts, places, relays. */
class Front {
	readonly server: Server;
	readonly #config: EmbeddedConfig;
	readonly #pool: BackendPool;
	readonly #diagnostics: Diagnostics;
	readonly #placement: Placement;
	readonly #clients = new Set<Socket>();
	/** Clients by the node that they are connected to. */
	readonly #placed = new Map<Socket, string>();

	constructor(
		config: EmbeddedConfig,
		pool: BackendPool,
		diagnostics: Diagnostics,
	) {
		this.#config = config;
		this.#pool = pool;
		this.#diagnostics = diagnostics;
		this.#placement = new Placement(config, pool);
		this.server = createServer(
			{
				allowHalfOpen: true,
				// What the client says first waits in the kernel until there is a node to say it to.
				pauseOnConnect: true,
				noDelay: true,
				keepAlive: true,
				keepAliveInitialDelay: keepAliveMs,
			},
			(client) => void this.#accept(client),
		);
		this.server.maxConnections = config.maxConnections;
	}

	counts(): { readonly connections: number; readonly held: number } {
		return { connections: this.#clients.size, held: this.#placement.held };
	}

	async close(): Promise<number> {
		const closed = new Promise((resolve) => this.server.close(resolve));
		const limit = new AbortController();
		const { closeTimeoutMs } = this.#config;
		await Promise.race([
			closed,
			sleep(closeTimeoutMs, undefined, { signal: limit.signal }).catch(
				() => {},
			),
		]);
		limit.abort();
		const cut = this.#clients.size;
		for (const client of this.#clients) client.resetAndDestroy();
		await closed;
		return cut;
	}

	/** Resets what is connected to `node`, if it could go elsewhere: a frozen process keeps its connections for ever. */
	leave(node: string): void {
		if (!this.#pool.statuses().some(({ admitting }) => admitting)) return;
		const left = [...this.#placed].filter(([, to]) => to === node);
		for (const [client] of left) client.resetAndDestroy();
		if (left.length > 0) this.#diagnostics.onLeft(node, left.length);
	}

	async #accept(client: Socket): Promise<void> {
		this.#clients.add(client);
		const gone = new AbortController();
		client.once("close", () => {
			this.#clients.delete(client);
			this.#placed.delete(client);
			gone.abort();
		});
		client.on("error", () => client.destroy());
		const placed = await this.#placement.place(gone.signal);
		if (placed === null) {
			if (!client.destroyed) this.#diagnostics.onUnplaced();
			client.resetAndDestroy();
			return;
		}
		const onClosed = () => this.#pool.release(placed.backend);
		if (client.destroyed) {
			placed.upstream.destroy();
			onClosed();
			return;
		}
		this.#placed.set(client, placed.backend.node);
		const { halfOpenTimeoutMs } = this.#config;
		relay(client, placed.upstream, { halfOpenTimeoutMs, onClosed });
	}
}

function listen(server: Server, address: string, what: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const failed = (cause: NodeJS.ErrnoException) => {
			const reason =
				cause.code === "EADDRINUSE"
					? "another program listens there"
					: cause.message;
			reject(
				new OperatorError(
					"refused",
					`the balancer cannot listen on ${address}, ${what}: ${reason}`,
					{
						state: "The balancer did not start.",
						next: `Free the port, or change the address in the cluster file; ss -ltnp shows who listens`,
						cause,
					},
				),
			);
		};
		server.once("error", failed);
		server.listen(splitAddress(address), () => {
			server.off("error", failed);
			resolve();
		});
	});
}
