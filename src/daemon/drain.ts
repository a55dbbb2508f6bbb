/**
 * A drain is a lease: whoever asked for it must renew it, or the node serves again by itself, so that a dead operator
 * leaves nothing drained. Pure: time comes in, and what to do with the connections comes out.
 *
 *     serving → announced → closing        by `renew`; a renewal never goes back a step
 *     announced, closing → serving         by `end`, or when the lease runs out
 *     any → stopping                       by `stop`; for good, the process is about to end
 *
 * Times are monotonic milliseconds. Every call returns what the owner of the connections must do now, in order.
 */
export class DrainLease {
	#phase: DrainPhase = "serving";
	#closing = false;
	#expiresAtMs = 0;

	/** Starts, renews or deepens the drain. Does nothing when the node is stopping. */
	renew(request: DrainRequest, nowMs: number): readonly DrainEffect[] {
		const effects = this.tick(nowMs);
		if (this.#phase === "stopping") return effects;
		this.#expiresAtMs = nowMs + request.leaseMs;
		if (request.close) {
			this.#phase = "closing";
			return [...effects, ...this.#beginClosing(request.closeOverMs)];
		}
		if (this.#phase === "serving") this.#phase = "announced";
		return effects;
	}

	/** Ends the drain; does nothing where there is none, or when the node is stopping. */
	end(): readonly DrainEffect[] {
		return this.#phase === "stopping" ? [] : this.#serve();
	}

	/** Ends the drain if its lease ran out. To be called often. */
	tick(nowMs: number): readonly DrainEffect[] {
		return this.#leased() && nowMs >= this.#expiresAtMs ? this.#serve() : [];
	}

	/** The process ends: announced from now on, whatever any lease says. */
	stop(): void {
		this.#phase = "stopping";
	}

	/** Deepens a stop: connections move away. Does nothing before `stop`. */
	stopClosing(closeOverMs: number): readonly DrainEffect[] {
		return this.#phase === "stopping" ? this.#beginClosing(closeOverMs) : [];
	}

	view(nowMs: number): DrainView {
		return {
			phase: this.#phase,
			draining: this.#phase !== "serving",
			closing: this.#closing,
			leaseLeftMs: this.#leased() ? Math.max(0, this.#expiresAtMs - nowMs) : 0,
		};
	}

	#leased(): boolean {
		return this.#phase === "announced" || this.#phase === "closing";
	}

	// A renewal must not start the paced closing afresh: it would bunch up what is left, or never end.
	#beginClosing(closeOverMs: number): readonly DrainEffect[] {
		if (this.#closing) return [];
		this.#closing = true;
		return [{ kind: "begin-closing", closeOverMs }];
	}

	#serve(): readonly DrainEffect[] {
		this.#phase = "serving";
		if (!this.#closing) return [];
		this.#closing = false;
		return [{ kind: "stop-closing" }];
	}
}

type DrainPhase = "serving" | "announced" | "closing" | "stopping";

export interface DrainRequest {
	readonly leaseMs: number;
	/** False: only announce. True: also move connections away. */
	readonly close: boolean;
	/** Connections are closed evenly over this time. */
	readonly closeOverMs: number;
}

export type DrainEffect =
	| { readonly kind: "begin-closing"; readonly closeOverMs: number }
	| { readonly kind: "stop-closing" };

export interface DrainView {
	readonly phase: DrainPhase;
	readonly draining: boolean;
	readonly closing: boolean;
	/** 0 without a drain, and while stopping: that does not end. */
	readonly leaseLeftMs: number;
}
