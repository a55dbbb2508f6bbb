import {
	type AddressInfo,
	connect,
	createServer,
	type Server,
	type Socket,
} from "node:net";

/** Where one connection breaks: after so many bytes in that direction. */
export interface Cut {
	readonly direction: "up" | "down";
	readonly afterBytes: number;
}

/** A network that breaks: carries connections to `target`, and resets each at the place that `cuts` says, in turn. */
export class CuttingProxy {
	accepted = 0;
	readonly #target: string;
	readonly #cuts: Cut[];
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	constructor(target: string, cuts: readonly Cut[] = []) {
		this.#target = target;
		this.#cuts = [...cuts];
		this.#server = createServer((client) => this.#carry(client));
	}

	get address(): string {
		return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	async start(): Promise<this> {
		await new Promise<void>((resolve) =>
			this.#server.listen(0, "127.0.0.1", resolve),
		);
		return this;
	}

	/** Resets all connections there are. */
	cutAll(): void {
		for (const socket of this.#sockets) socket.resetAndDestroy();
	}

	/** The connections there are carry nothing any more, as if the machine behind them had lost its power. */
	stallAll(): void {
		for (const socket of this.#sockets)
			socket.removeAllListeners("data").resume();
	}

	async stop(): Promise<void> {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		this.cutAll();
		await closed;
	}

	#carry(client: Socket): void {
		this.accepted++;
		const [host, port] = this.#target.split(":");
		const upstream = connect({ host: host ?? "", port: Number(port) });
		const cut = this.#cuts.shift();
		const both = [client, upstream];
		const end = () => {
			for (const socket of both) socket.resetAndDestroy();
		};
		for (const socket of both) {
			this.#sockets.add(socket);
			socket.setNoDelay(true);
			socket.on("error", () => {});
			socket.on("close", () => {
				this.#sockets.delete(socket);
				end();
			});
		}
		const limit = (direction: Cut["direction"]) =>
			cut?.direction === direction ? cut.afterBytes : Number.POSITIVE_INFINITY;
		carryUpTo(limit("up"), client, upstream, end);
		carryUpTo(limit("down"), upstream, client, end);
	}
}

function carryUpTo(
	bytes: number,
	source: Socket,
	target: Socket,
	onLimit: () => void,
): void {
	let left = bytes;
	source.on("data", (chunk: Buffer) => {
		const part = chunk.subarray(0, Math.min(chunk.length, left));
		left -= part.length;
		if (left > 0) target.write(part);
		// What lies before the cut does arrive.
		else target.write(part, onLimit);
	});
}
