import { OperatorError, reasonOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { endingOf } from "../interruption.js";
import type { Caller, HttpAnswer, OpenCaller } from "./caller.js";
import type { CanaryScript, HttpRequest } from "./requests.js";
import { type RequestKind, Tally } from "./tally.js";

/** From the start of one request to that of the next of its kind, or to the end of the one before, if that is later. */
const paceMs = 50;

/** A request without an answer for so long has failed. */
const attemptTimeoutMs = 5_000;

/** How long the first write and read may take to go well; before that nothing is measured, and nothing is touched. */
const startTimeoutMs = 5_000;

/** At the end, for what is under way and for the key to be deleted, each. */
const endTimeoutMs = 1_000;

export interface CanaryOptions {
	readonly script: CanaryScript;
	/** The balancer's address, or those of the nodes. */
	readonly addresses: readonly string[];
	readonly openCaller: OpenCaller;
}

/**
 * A small client of the application's own kind: one write and one read under way, at a steady pace, each over a
 * connection of its own and each sent once. What fails here would have failed for an application that does not retry.
 */
export class Canary {
	readonly tally: Tally;
	readonly #context: Pick<OperationContext, "clock" | "emit">;
	readonly #options: CanaryOptions;
	readonly #writer: Caller;
	readonly #reader: Caller;
	readonly #resting = new AbortController();
	readonly #given = new AbortController();
	#number: number;
	#loops: Promise<unknown> = Promise.resolve();

	/** Throws OperatorError "refused" when no write or read goes well: an operation must not begin with that. */
	static async start(
		context: Pick<OperationContext, "clock" | "emit" | "inventory" | "signal">,
		options: CanaryOptions,
	): Promise<Canary> {
		const callers = [0, 1].map(() => options.openCaller(options.addresses)) as [
			Caller,
			Caller,
		];
		try {
			const written = await firstRequests(context, options, callers);
			return new Canary(context, { options, callers, written });
		} catch (error) {
			for (const caller of callers) caller.close();
			throw error;
		}
	}

	private constructor(
		context: Pick<OperationContext, "clock" | "emit">,
		start: {
			readonly options: CanaryOptions;
			readonly callers: readonly [Caller, Caller];
			/** The number of the last write that went well. */
			readonly written: number;
		},
	) {
		const { options, callers, written } = start;
		this.#context = context;
		this.#options = options;
		[this.#writer, this.#reader] = callers;
		this.#number = written;
		this.tally = new Tally({
			beganAtMs: context.clock.now(),
			beganAtWallMs: context.clock.unixMs(),
			readsBack: options.script.readsBack,
		});
		this.#loops = Promise.all([
			this.#repeat(() => this.#write()),
			this.#repeat(() => this.#read()),
		]);
	}

	/** How often one of its connections was replaced by another. */
	get moves(): number {
		return [this.#writer, this.#reader]
			.map(({ connections }) => Math.max(0, connections - 1))
			.reduce((sum, moves) => sum + moves, 0);
	}

	/** Lets what is under way end, reads its last write back if `completed`, and deletes its key. */
	async end(completed: boolean): Promise<void> {
		this.tally.close(this.#context.clock.now());
		this.#resting.abort();
		await this.#within(this.#loops);
		if (completed) await this.#within(this.#read());
		this.#given.abort();
		await this.#loops;
		await this.#remove();
		this.#writer.close();
		this.#reader.close();
	}

	async #repeat(request: () => Promise<void>): Promise<void> {
		const { clock } = this.#context;
		const { signal } = this.#resting;
		while (!signal.aborted) {
			const beganAtMs = clock.now();
			await request();
			const restMs = Math.max(0, beganAtMs + paceMs - clock.now());
			await clock.sleep(restMs, signal).catch(() => undefined);
		}
	}

	async #write(): Promise<void> {
		const number = ++this.#number;
		const wish = this.#options.script.write(number);
		await this.#attempt("write", { wish, number, caller: this.#writer });
	}

	async #read(): Promise<void> {
		const number = this.tally.acknowledged;
		const wish = this.#options.script.read();
		await this.#attempt("read", { wish, number, caller: this.#reader });
	}

	async #attempt(
		kind: RequestKind,
		what: {
			readonly wish: HttpRequest;
			readonly number: number;
			readonly caller: Caller;
		},
	): Promise<void> {
		const { clock } = this.#context;
		const { wish, number, caller } = what;
		const beganAtMs = clock.now();
		let fault: string | null = null;
		let seen: number | null = null;
		try {
			const limits = {
				timeoutMs: attemptTimeoutMs,
				signal: this.#given.signal,
			};
			const answer = await caller.call(wish, limits);
			fault = faultOf(answer);
			seen = this.#options.script.numberIn(answer.body);
		} catch (error) {
			// Given up by us, at the end: nobody knows what would have become of it.
			if (this.#given.signal.aborted) return;
			fault = reasonOf(error);
		}
		const endedAtMs = clock.now();
		this.tally.count({ kind, number, beganAtMs, endedAtMs, fault, seen });
	}

	async #remove(): Promise<void> {
		const { key, remove } = this.#options.script;
		const wish = remove();
		if (wish === null) return;
		const limits = {
			timeoutMs: endTimeoutMs,
			signal: new AbortController().signal,
		};
		const fault = await this.#writer.call(wish, limits).then(faultOf, reasonOf);
		if (fault !== null)
			this.#context.emit({
				type: "warning",
				node: null,
				message: `the canary's key ${key} could not be deleted: ${fault}`,
			});
	}

	async #within(work: Promise<unknown>): Promise<void> {
		const enough = new AbortController();
		const { clock } = this.#context;
		const limit = clock
			.sleep(endTimeoutMs, enough.signal)
			.catch(() => undefined);
		await Promise.race([work, limit]);
		enough.abort();
	}
}

/** The number of the write that went well. */
async function firstRequests(
	{
		clock,
		inventory,
		signal,
	}: Pick<OperationContext, "clock" | "inventory" | "signal">,
	{ script, addresses }: CanaryOptions,
	[writer, reader]: readonly [Caller, Caller],
): Promise<number> {
	const beganAtMs = clock.now();
	const limits = { timeoutMs: startTimeoutMs, signal };
	for (let number = 1; ; number++) {
		const fault =
			(await faultOfCall("write", writer.call(script.write(number), limits))) ??
			(await faultOfCall("read", reader.call(script.read(), limits)));
		if (fault === null) return number;
		if (signal.aborted) throw endingOf(signal);
		if (clock.now() - beganAtMs >= startTimeoutMs)
			throw new OperatorError(
				"refused",
				`the canary gets no answer at ${addresses.join(", ")} (${fault})`,
				{
					state: "no step was begun",
					next: commandFor({ inventory }, "status"),
				},
			);
		await clock.sleep(paceMs, signal).catch(() => undefined);
	}
}

async function faultOfCall(
	kind: RequestKind,
	call: Promise<HttpAnswer>,
): Promise<string | null> {
	const fault = await call.then(faultOf, reasonOf);
	return fault === null ? null : `${kind}: ${fault}`;
}

/** Any answer but success is a failure, a polite refusal as well: an application would have to try again. */
function faultOf({ status, body }: HttpAnswer): string | null {
	return status >= 200 && status < 300 ? null : `${status} ${body}`.trim();
}
