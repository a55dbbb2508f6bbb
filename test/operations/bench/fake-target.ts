import type { Target } from "../../../src/operations/bench/target.js";

/** A system that answers when the test lets it. */
export class FakeTarget implements Target {
	readonly keys = new Set<string>();
	puts = 0;
	gets = 0;
	/** While true, requests wait. */
	isFrozen = false;
	/** What the next requests reject with. */
	fault: Error | null = null;
	isClosed = false;
	#waiting: (() => void)[] = [];

	async put(key: string): Promise<void> {
		this.puts++;
		await this.#turn();
		this.keys.add(key);
	}

	async get(key: string): Promise<boolean> {
		this.gets++;
		await this.#turn();
		return this.keys.has(key);
	}

	removeBelow(prefix: string): Promise<number> {
		const found = [...this.keys].filter((key) => key.startsWith(prefix));
		for (const key of found) this.keys.delete(key);
		return Promise.resolve(found.length);
	}

	kindOf(error: unknown): string {
		return (error as Error).message;
	}

	close(): Promise<void> {
		this.isClosed = true;
		return Promise.resolve();
	}

	thaw(): void {
		this.isFrozen = false;
		for (const wake of this.#waiting.splice(0)) wake();
	}

	async #turn(): Promise<void> {
		if (this.isFrozen)
			await new Promise<void>((wake) => {
				this.#waiting.push(wake);
			});
		else await new Promise((wake) => setTimeout(wake, 1));
		if (this.fault !== null) throw this.fault;
	}
}
