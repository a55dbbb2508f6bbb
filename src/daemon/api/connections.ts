import type { Duplex } from "node:stream";
import { ClosingPace } from "./closing-pace.js";
import type { Connection } from "./context.js";

export interface ConnectionCounts {
	readonly total: number;
	readonly websockets: number;
	readonly streams: number;
}

/** Often enough for the shortest of the limits that depend on it. */
const sweepIntervalMs = 200;

/** Every open socket of the client port and what it is used for now. */
export class Connections {
	readonly #open = new Map<Duplex, Connection>();
	readonly #sweeper: NodeJS.Timeout;
	#closing = false;
	#mover: NodeJS.Timeout | undefined;

	constructor() {
		this.#sweeper = setInterval(() => this.#sweep(), sweepIntervalMs);
	}

	get closing(): boolean {
		return this.#closing;
	}

	add(socket: Duplex, connection: Connection): void {
		this.#open.set(socket, connection);
		socket.once("close", () => this.#open.delete(socket));
	}

	/** The same socket goes on with another protocol. */
	replace(socket: Duplex, connection: Connection): void {
		if (!this.#open.has(socket)) return;
		this.#open.set(socket, connection);
		// It came while the others were asked to leave, and was not among them.
		if (this.#closing) connection.leave();
	}

	of(socket: Duplex): Connection | undefined {
		return this.#open.get(socket);
	}

	counts(): ConnectionCounts {
		const kinds = [...this.#open.values()].map(({ kind }) => kind);
		return {
			total: kinds.length,
			websockets: kinds.filter((kind) => kind === "websocket").length,
			streams: kinds.filter((kind) => kind === "stream").length,
		};
	}

	/** Asks every long-lived connection to go elsewhere, one after another, evenly over this time. */
	beginClosing(overMs: number): void {
		clearTimeout(this.#mover);
		this.#closing = true;
		const movable = [...this.#open.values()].filter(
			({ kind }) => kind !== "http",
		);
		const pace = new ClosingPace(movable.length, overMs);
		const startMs = performance.now();
		let moved = 0;
		const move = () => {
			const due = pace.due(performance.now() - startMs);
			while (moved < due) movable[moved++]?.leave();
			if (moved === movable.length) return;
			const nextMs = startMs + pace.dueAtMs(moved) - performance.now();
			this.#mover = setTimeout(move, Math.max(1, nextMs));
		};
		move();
	}

	stopClosing(): void {
		clearTimeout(this.#mover);
		this.#closing = false;
	}

	/** Ends all; cuts off what has not ended after this time. */
	async close(timeoutMs: number): Promise<void> {
		this.beginClosing(0);
		for (const connection of this.#open.values()) connection.end();
		const deadlineMs = performance.now() + timeoutMs;
		while (this.#open.size > 0 && performance.now() < deadlineMs)
			await new Promise((resolve) => setTimeout(resolve, 10));
		for (const connection of [...this.#open.values()]) connection.destroy();
		clearTimeout(this.#mover);
		clearInterval(this.#sweeper);
	}

	#sweep(): void {
		const nowMs = performance.now();
		for (const connection of [...this.#open.values()]) connection.sweep(nowMs);
	}
}
