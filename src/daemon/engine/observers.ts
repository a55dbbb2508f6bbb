import { reasonOf } from "../../errors.js";
import type { Diagnose } from "../peers/complaints.js";
import type { EventSubscriber, EventSubscription } from "../replica.js";

/** Whoever is told of outcomes and events. What goes wrong with them is reported; it must not stop consensus. */
export class Observers {
	readonly #diagnose: Diagnose;

	constructor(diagnose: Diagnose) {
		this.#diagnose = diagnose;
	}

	guarded<Outcome>(
		done: (outcome: Outcome) => void,
	): (outcome: Outcome) => void {
		return (outcome) => {
			try {
				done(outcome);
			} catch (error) {
				this.#report(error, "whoever was told of an outcome failed over it");
			}
		};
	}

	/** A subscriber that fails is told nothing more: silence can be noticed, a gap cannot. */
	subscribed(
		subscriber: EventSubscriber,
		subscribe: (guarded: EventSubscriber) => EventSubscription | null,
	): EventSubscription | null {
		let subscription: EventSubscription | null = null;
		const tell = (work: () => void) => {
			try {
				work();
			} catch (error) {
				subscription?.close();
				this.#report(error, "a subscriber to events failed over them");
			}
		};
		subscription = subscribe({
			onEvent: (index, event) => tell(() => subscriber.onEvent(index, event)),
			onProgress: (index) => tell(() => subscriber.onProgress(index)),
			onGap: (oldestIndex) => tell(() => subscriber.onGap?.(oldestIndex)),
		});
		return subscription;
	}

	#report(error: unknown, what: string): void {
		this.#diagnose("error", what, { reason: reasonOf(error) });
	}
}
