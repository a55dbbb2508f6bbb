import type { Random } from "../sim/random.js";
import type { Caller, Consistency } from "./callers.js";
import type { History } from "./history.js";
import type { Command } from "./words.js";

const kinds = ["register", "list", "counter"] as const;
type Kind = (typeof kinds)[number];

/** Operations on one key before the next takes its place: histories stay short, and lists too. */
const operationsOfKey = 60;
/** Keys of each kind that are in use at the same time. */
const keysOfKind = 2;

/** The keys in use. Few, so that clients meet on them. */
export class Keys {
	readonly #slots = new Map<string, { key: string; left: number }>();
	readonly #written = new Map<string, number>();
	#last = 0;

	/** What somebody tried to write last, so that a swap has a chance; from now on it is `value`. */
	lastWritten(key: string, value: number): number | null {
		const last = this.#written.get(key) ?? null;
		this.#written.set(key, value);
		return last;
	}

	take(random: Random): { kind: Kind; key: string } {
		const kind = random.pick(kinds);
		const slot = `${kind}${random.below(keysOfKind)}`;
		let use = this.#slots.get(slot);
		if (use === undefined || use.left === 0) {
			use = { key: `${kind}-${++this.#last}`, left: operationsOfKey };
			this.#slots.set(slot, use);
		}
		use.left--;
		return { kind, key: use.key };
	}
}

export interface WorkerOptions {
	readonly name: string;
	readonly caller: Caller;
	readonly keys: Keys;
	readonly history: History;
	readonly random: Random;
	/** How its reads are asked for. All of them are judged as linearizable. */
	readonly reads: Consistency;
	readonly meanPauseMs: number;
	/** A number that nobody has used before. */
	nextValue(): number;
}

/** One client: asks, waits for the answer, pauses, asks again, until `running` is over. */
export async function work(
	options: WorkerOptions,
	running: AbortSignal,
): Promise<void> {
	const { random, meanPauseMs } = options;
	while (!running.aborted) {
		await operate(options);
		const pauseMs = random.exponential(meanPauseMs);
		await new Promise((wake) => setTimeout(wake, pauseMs));
	}
}

async function operate(options: WorkerOptions): Promise<void> {
	const { keys, random } = options;
	const { kind, key } = keys.take(random);
	if (random.chance(0.4)) await readKey(options, key);
	else await change(options, commandFor(options, kind, key));
}

function commandFor(
	{ keys, random, nextValue }: WorkerOptions,
	kind: Kind,
	key: string,
): Command {
	const value = nextValue();
	const words = { id: `c${value}`, key };
	if (kind === "counter") return { ...words, op: "increment" };
	if (kind === "list") return { ...words, op: "append", element: value };
	const expect = keys.lastWritten(key, value);
	return random.chance(0.4)
		? { ...words, op: "write", value }
		: { ...words, op: "swap", expect, value };
}

async function change(
	{ name, caller, history }: WorkerOptions,
	command: Command,
): Promise<void> {
	const { key, id: _, ...input } = command;
	const startedAtMs = performance.now();
	history.sends(command);
	const outcome = await caller.command(command);
	history.ended(command, outcome);
	history.add({ key, client: name, input, startedAtMs }, outcome);
}

/** Also asked once more for every key at the end of a run. */
export async function readKey(
	{
		name,
		caller,
		history,
		reads,
	}: Pick<WorkerOptions, "name" | "caller" | "history" | "reads">,
	key: string,
): Promise<boolean> {
	const startedAtMs = performance.now();
	const outcome = await caller.query({ op: "read", key }, reads);
	const input = { op: "read" };
	history.add({ key, client: name, input, startedAtMs }, outcome);
	return outcome.kind === "done";
}
