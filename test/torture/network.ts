/** What is wrong with the way from one place to another; directions are apart. */
interface Condition {
	readonly cut: boolean;
	readonly delayMs: number;
}

const sound: Condition = { cut: false, delayMs: 0 };

/** One connection that a link proxy carries; `from` has dialled. */
export interface Carried {
	readonly from: string;
	readonly to: string;
	/** What is wrong may have changed. */
	conditionsChanged(): void;
	/** Resets it, at both ends. */
	reset(): void;
}

/** The state of all links between places. A place is where a node listens, whatever its id is at the moment. */
export class Network {
	readonly #conditions = new Map<string, Condition>();
	readonly #carried = new Set<Carried>();

	condition(from: string, to: string): Condition {
		return this.#conditions.get(`${from}>${to}`) ?? sound;
	}

	/** Nothing that `from` sends arrives at `to` until it is healed, whoever of them has dialled. */
	cut(from: string, to: string): void {
		this.#set(from, to, { cut: true, delayMs: 0 });
	}

	slow(from: string, to: string, delayMs: number): void {
		this.#set(from, to, { cut: false, delayMs });
	}

	/** Everything arrives again. What was held back arrives late; with `reset`, never: its connections are gone. */
	heal({ reset }: { readonly reset: boolean }): void {
		const broken = new Set(this.#conditions.keys());
		this.#conditions.clear();
		for (const one of [...this.#carried]) {
			const { from, to } = one;
			const was = broken.has(`${from}>${to}`) || broken.has(`${to}>${from}`);
			if (was && reset) one.reset();
			else one.conditionsChanged();
		}
	}

	/** Ends all connections between two places. */
	reset(one: string, other: string): void {
		for (const carried of this.#between(one, other)) carried.reset();
	}

	add(carried: Carried): void {
		this.#carried.add(carried);
	}

	remove(carried: Carried): void {
		this.#carried.delete(carried);
	}

	#set(from: string, to: string, condition: Condition): void {
		this.#conditions.set(`${from}>${to}`, condition);
		for (const carried of this.#between(from, to)) carried.conditionsChanged();
	}

	#between(one: string, other: string): Carried[] {
		return [...this.#carried].filter(
			({ from, to }) =>
				(from === one && to === other) || (from === other && to === one),
		);
	}
}
