import {
	type AddressInfo,
	connect,
	createServer,
	type Server,
	type Socket,
} from "node:net";
import { FrameSplitter } from "../../src/wire/frame-splitter.js";
import {
	decodeHello,
	maxHandshakeFrameBytes,
} from "../../src/wire/peer-handshake.js";
import type { Carried, Network } from "./network.js";

const helloTimeoutMs = 3_000;

/**
 * The address at which the others reach one node. Who dials is told by its hello, so that one address, which is the same
 * in everybody's configuration, is enough to break links by pair and direction.
 */
export class LinkProxy {
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	/** `placeOf` says where the node of an id is; null for a stranger. */
	constructor(
		private readonly options: {
			readonly place: string;
			/** The port on loopback where the node itself listens. */
			readonly port: number;
			readonly network: Network;
			placeOf(id: string): string | null;
		},
	) {
		this.#server = createServer((socket) => this.#accept(socket));
	}

	get address(): string {
		return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	async listen(port: number): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			this.#server.once("error", reject);
			this.#server.listen(port, "127.0.0.1", resolve);
		});
	}

	async close(): Promise<void> {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		for (const socket of this.#sockets) socket.destroy();
		await closed;
	}

	#accept(dialler: Socket): void {
		this.#keep(dialler);
		const timer = setTimeout(() => dialler.destroy(), helloTimeoutMs);
		dialler.once("close", () => clearTimeout(timer));
		const splitter = new FrameSplitter({
			minFrameBytes: 1,
			maxFrameBytes: maxHandshakeFrameBytes,
		});
		const read = (chunk: Buffer): void => {
			heard.push(chunk);
			let from: string | null = null;
			try {
				splitter.push(chunk, (frame) => {
					from ??= this.options.placeOf(decodeHello(frame).from);
				});
			} catch {
				// After the hello come frames of any length; before it, nothing else may.
				if (from === null) dialler.destroy();
			}
			if (from === null) return;
			clearTimeout(timer);
			dialler.off("data", read);
			this.#carry(dialler, from, Buffer.concat(heard));
		};
		const heard: Buffer[] = [];
		dialler.on("data", read);
	}

	#carry(dialler: Socket, from: string, heard: Buffer): void {
		const { place: to, port, network } = this.options;
		const dialled = connect({ host: "127.0.0.1", port });
		this.#keep(dialled);
		const end = () => {
			network.remove(carried);
			dialler.destroy();
			dialled.destroy();
		};
		const there = new Way(dialler, dialled, {
			condition: () => network.condition(from, to),
			end,
		});
		const back = new Way(dialled, dialler, {
			condition: () => network.condition(to, from),
			end,
		});
		const carried: Carried = {
			...{ from, to },
			conditionsChanged() {
				there.pump();
				back.pump();
			},
			reset() {
				dialler.resetAndDestroy();
				dialled.resetAndDestroy();
				end();
			},
		};
		network.add(carried);
		there.take(heard);
	}

	#keep(socket: Socket): void {
		this.#sockets.add(socket);
		socket.setNoDelay(true);
		socket.on("error", () => {});
		socket.once("close", () => this.#sockets.delete(socket));
	}
}

/** Beyond this the source is not read: what it sends waits in its own memory, as on a real network. */
const maxHeldBytes = 256 * 1024;

/** One direction of a connection: holds back what must not arrive yet, the news of its end included. */
class Way {
	readonly #held: { readonly chunk: Buffer | null; readonly atMs: number }[] =
		[];
	#heldBytes = 0;
	#timer: NodeJS.Timeout | null = null;

	constructor(
		private readonly source: Socket,
		private readonly target: Socket,
		private readonly options: {
			condition(): { readonly cut: boolean; readonly delayMs: number };
			end(): void;
		},
	) {
		source.on("data", (chunk: Buffer) => this.take(chunk));
		source.once("close", () => this.#hold(null));
		target.on("drain", () => this.pump());
	}

	take(chunk: Buffer): void {
		this.#heldBytes += chunk.length;
		this.#hold(chunk);
	}

	/** Passes on what may arrive by now. */
	pump(): void {
		for (;;) {
			const [first] = this.#held;
			const { cut, delayMs } = this.options.condition();
			if (first === undefined || cut || this.target.writableNeedDrain) break;
			const waitMs = first.atMs + delayMs - performance.now();
			if (waitMs > 0) {
				this.#timer ??= setTimeout(() => {
					this.#timer = null;
					this.pump();
				}, waitMs);
				break;
			}
			this.#held.shift();
			if (first.chunk === null) {
				this.options.end();
				return;
			}
			this.#heldBytes -= first.chunk.length;
			this.target.write(first.chunk);
		}
		if (this.#heldBytes > maxHeldBytes) this.source.pause();
		else this.source.resume();
	}

	#hold(chunk: Buffer | null): void {
		this.#held.push({ chunk, atMs: performance.now() });
		this.pump();
	}
}
