import { OperatorError } from "../errors.js";

/**
 * Ctrl-C and SIGTERM. The first aborts `signal`, so that the operation ends the step it is in and undoes what is half
 * done; the second ends the process at once.
 */
export class Interruption {
	readonly #exit: (code: number) => void;
	readonly #controller = new AbortController();
	#exitCode: number | null = null;

	/** `exit` ends the process at once. */
	constructor(exit: (code: number) => void = (code) => process.exit(code)) {
		this.#exit = exit;
	}

	/** Aborts with an OperatorError of kind "interrupted" or "terminated" as its reason. */
	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	/** 130 or 143 once a signal came, null before. */
	get exitCode(): number | null {
		return this.#exitCode;
	}

	listen(): void {
		process.on("SIGINT", this.#onInterrupt);
		process.on("SIGTERM", this.#onTerminate);
	}

	stopListening(): void {
		process.off("SIGINT", this.#onInterrupt);
		process.off("SIGTERM", this.#onTerminate);
	}

	readonly #onInterrupt = (): void =>
		this.#receive("interrupted", "interrupted by Ctrl-C");

	readonly #onTerminate = (): void =>
		this.#receive("terminated", "ended by SIGTERM");

	#receive(kind: "interrupted" | "terminated", reason: string): void {
		const error = new OperatorError(kind, reason);
		if (this.#exitCode !== null) {
			// A live list hides the cursor; whoever leaves in the middle of it puts it back.
			if (process.stderr.isTTY) process.stderr.write("\u001B[?25h");
			this.#exit(error.exitCode);
			return;
		}
		this.#exitCode = error.exitCode;
		process.stderr.write(
			"\nStopping in good order. Once more ends it now and may leave a step half done.\n",
		);
		this.#controller.abort(error);
	}
}

/** The process has one terminal, so it has one of these. */
export const interruption = new Interruption();
