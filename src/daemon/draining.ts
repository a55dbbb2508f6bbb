import {
	type DrainEffect,
	DrainLease,
	type DrainRequest,
	type DrainView,
} from "./drain.js";

/** The drain of this process: the lease, its clock, and the connections that it moves. */
export class Draining {
	readonly #lease = new DrainLease();
	readonly #nowMs: () => number;
	readonly #onChange: (view: DrainView) => void;
	#connections: MovableConnections | null = null;
	#lastPhase = "serving";

	constructor(options: DrainingOptions) {
		this.#nowMs = options.nowMs;
		this.#onChange = options.onChange;
	}

	/** The client port is open. A drain that began before holds for its connections, too. */
	attach(connections: MovableConnections): void {
		this.#connections = connections;
		if (this.view().closing) connections.beginClosing(0);
	}

	renew(request: DrainRequest): DrainView {
		return this.#run(this.#lease.renew(request, this.#nowMs()));
	}

	end(): DrainView {
		return this.#run(this.#lease.end());
	}

	/** To be called often: the lease runs out in here. */
	tick(): DrainView {
		return this.#run(this.#lease.tick(this.#nowMs()));
	}

	/** Announces that the process ends. */
	stop(): DrainView {
		this.#lease.stop();
		return this.#run([]);
	}

	stopClosing(closeOverMs: number): DrainView {
		return this.#run(this.#lease.stopClosing(closeOverMs));
	}

	view(): DrainView {
		return this.#lease.view(this.#nowMs());
	}

	#run(effects: readonly DrainEffect[]): DrainView {
		for (const effect of effects) {
			if (effect.kind === "begin-closing")
				this.#connections?.beginClosing(effect.closeOverMs);
			else this.#connections?.stopClosing();
		}
		const view = this.view();
		if (view.phase !== this.#lastPhase) {
			this.#lastPhase = view.phase;
			this.#onChange(view);
		}
		return view;
	}
}

interface DrainingOptions {
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
	/** Called whenever the phase changes. */
	onChange(view: DrainView): void;
}

/** What the client port does for a drain. */
interface MovableConnections {
	/** Closes every long-lived connection, evenly over this time. */
	beginClosing(overMs: number): void;
	stopClosing(): void;
}
