import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import type { Destination } from "./destination.js";
import { connectionLost, unreachable } from "./failures.js";
import { raced } from "./raced.js";
import { SessionSlots } from "./session-slots.js";

const refusedPauseMs = 100;

/** A command that the host has taken. */
export interface Session {
	readonly channel: ClientChannel;
	/** The host may be given another one. */
	release(): void;
}

/** Thrown when a connection broke before the host was asked to run the command: it certainly did not run. */
export class LostBeforehand extends Error {
	override readonly name = "LostBeforehand";
}

/** One connection to one host, with all that runs over it. */
export class Connection {
	readonly destination: Destination;
	readonly #client: Client;
	readonly #slots = new SessionSlots();
	readonly #lost = new AbortController();

	constructor(destination: Destination, client: Client) {
		this.destination = destination;
		this.#client = client;
		client.on("close", () => this.#lose());
		// A late error without a listener would end the process.
		client.on("error", (cause) => this.#lose(cause));
	}

	/** Aborted, with a LostBeforehand, once it is broken or was closed. */
	get lost(): AbortSignal {
		return this.#lost.signal;
	}

	/**
	 * Has the host's shell run a line. Throws LostBeforehand when the connection is broken, the signal's reason, or
	 * OperatorError "unreachable" when the host takes no session at all, or when the connection broke once the line was sent:
	 * it may have run.
	 */
	async session(line: string, signal: AbortSignal): Promise<Session> {
		for (;;) {
			const release = await this.#slots.take(
				AbortSignal.any([signal, this.lost]),
			);
			try {
				return { channel: await this.#exec(line, signal), release };
			} catch (error) {
				const full = isRefusal(error) && this.#slots.lower();
				release();
				if (full) continue;
				throw isRefusal(error) ? noSession(this.destination, error) : error;
			}
		}
	}

	/** The same beside the queue, to end what holds a place in it: several that end at once take turns at the last place. */
	async besides(line: string, signal: AbortSignal): Promise<ClientChannel> {
		for (;;)
			try {
				return await this.#exec(line, signal);
			} catch (error) {
				if (!isRefusal(error)) throw error;
				await sleep(refusedPauseMs, undefined, { signal });
			}
	}

	/** A way from this host on to another one. */
	async forward(host: string, port: number): Promise<Duplex> {
		const { name } = this.destination;
		const opened = new Promise<Duplex>((resolve, reject) => {
			this.#client.forwardOut("127.0.0.1", 0, host, port, (cause, channel) => {
				if (cause === undefined) resolve(channel);
				else
					reject(
						unreachable(
							this.destination,
							`${name} could not connect on to ${host}:${port}: ${cause.message}`,
							{
								next: `look from there: ssh ${name} nc -vz ${host} ${port}`,
								cause,
							},
						),
					);
			});
		});
		return raced(opened, this.lost);
	}

	close(): void {
		this.#client.end();
		this.#lose();
	}

	/** Nothing more is to be said over it: what runs over it ends when the host notices. */
	destroy(): void {
		this.#client.destroy();
		this.#lose();
	}

	#lose(cause?: unknown): void {
		this.#lost.abort(new LostBeforehand("the connection broke", { cause }));
	}

	async #exec(line: string, signal: AbortSignal): Promise<ClientChannel> {
		let isSent = false;
		const options = {
			// ssh2 reads it once the host has opened the channel, and sends the line right then; its answer comes last.
			get env() {
				isSent = true;
				return {};
			},
		};
		const opened = new Promise<ClientChannel>((resolve, reject) => {
			try {
				this.#client.exec(line, options, (error, channel) => {
					if (error) reject(error);
					else resolve(channel);
				});
			} catch (cause) {
				// The socket is gone, though it has not said so yet.
				this.#lose(cause);
				throw cause;
			}
		}).catch((error: unknown) => {
			throw isRefusal(error) || !this.#lost.signal.aborted
				? error
				: this.#lost.signal.reason;
		});
		const either = AbortSignal.any([signal, this.lost]);
		return raced(opened, either).catch((error: unknown) => {
			// Nobody waits for it any more, and it would hold a place.
			if (either.aborted) opened.then((late) => late.close()).catch(() => {});
			const { name } = this.destination;
			throw isSent && error instanceof LostBeforehand
				? connectionLost(this.destination, `a command began on ${name}`, error)
				: error;
		});
	}
}

/** RFC 4254, 5.1: the server says why it opens no channel. */
function isRefusal(error: unknown): boolean {
	return (
		typeof (error as { readonly reason?: unknown } | null)?.reason === "number"
	);
}

function noSession(destination: Destination, cause: unknown) {
	return unreachable(
		destination,
		`${destination.name} lets nobody run a command`,
		{
			next: "look at MaxSessions, ForceCommand and PermitOpen of its sshd_config",
			cause,
		},
	);
}
