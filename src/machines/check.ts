import { type CheckedCommand, Fault, Run, type Step } from "./check/run.js";
import { inWorld } from "./check/world.js";
import type { Machine } from "./machine.js";
import { machineFaults } from "./shape.js";

export interface CheckOptions {
	/** In order; with a level where it is not the one that the machine writes. */
	readonly commands: Iterable<
		Uint8Array | { readonly command: Uint8Array; readonly level: number }
	>;
	/** Asked after some of the commands, and after the last. */
	readonly queries?: Iterable<Uint8Array>;
	/** From how many places between the commands a snapshot is restored, from 1 on. Default 8. */
	readonly restores?: number;
}

export interface CheckReport {
	/** How many commands there were. */
	readonly commands: number;
	/** The first difference that was found; null when the machine did the same every time. */
	readonly difference: CheckDifference | null;
}

export interface CheckDifference {
	/** result, event, digest, snapshot, answer: what differed. Else the machine's function that failed, or "shape". */
	readonly what: string;
	/** The number of the command, from 1 on; 0 for before the first. */
	readonly command: number;
	readonly message: string;
}

/**
 * Whether a machine comes to the same on every node (P60): executes the commands several times, from the start and from
 * snapshots in between, each time with another clock, randomness, time zone, locale and wording of errors, and compares
 * results, events, digests, answers and snapshots. What it finds is a mistake; what it does not find may be one all the
 * same, so give it commands that reach everything. Not to be called while anything else of the process runs on timers.
 */
export function checkMachine<State>(
	machine: Machine<State>,
	options: CheckOptions,
): CheckReport {
	const commands = [...options.commands].map((each) =>
		each instanceof Uint8Array
			? { command: each, level: machine.levels?.writes }
			: each,
	);
	try {
		const [fault] = machineFaults(machine);
		if (fault !== undefined) throw new Fault("shape", 0, fault);
		new Check(machine, commands, options).run();
		return { commands: commands.length, difference: null };
	} catch (error) {
		if (!(error instanceof Fault)) throw error;
		const { what, command, message } = error;
		const difference = { what, command, message };
		return { commands: commands.length, difference };
	}
}

class Check<State> {
	readonly #machine: Machine<State>;
	readonly #commands: readonly CheckedCommand[];
	readonly #queries: readonly Uint8Array[];
	/** Numbers of commands after which there is a snapshot. */
	readonly #places: readonly number[];
	readonly #steps: Step[] = [];
	readonly #snapshots = new Map<number, Buffer>();
	readonly #answers = new Map<number, (Buffer | null)[]>();

	constructor(
		machine: Machine<State>,
		commands: readonly CheckedCommand[],
		{ queries = [], restores = 8 }: CheckOptions,
	) {
		this.#machine = machine;
		this.#commands = commands;
		this.#queries = [...queries];
		const count = commands.length;
		this.#places = [
			...new Set(
				Array.from({ length: restores + 1 }, (_, at) =>
					Math.round((at * count) / restores),
				),
			),
		];
	}

	run(): void {
		inWorld(0, () => this.#record());
		inWorld(1, () => this.#repeat());
		for (const place of this.#places)
			inWorld(2, () => this.#resume(place, this.#snapshotAt(place)));
	}

	/** The run that all others are compared with. Nobody asks it anything, so that a query that changes something shows. */
	#record(): void {
		const run = new Run(this.#machine, this.#commands);
		for (;;) {
			if (this.#places.includes(run.at))
				this.#snapshots.set(run.at, run.snapshot());
			if (run.at === this.#commands.length) break;
			this.#steps.push(run.step(false));
		}
		this.#steps.forEach(({ result, event, given }, at) => {
			const isKept = [result, event].every(
				(bytes, place) => bytes === null || bytes.equals(given[place] ?? bytes),
			);
			if (!isKept)
				throw new Fault(
					"result",
					at + 1,
					`the bytes given for command ${at + 1} were changed afterwards: give a copy`,
				);
		});
	}

	/** The same again, with snapshots that are read while later commands are executed. */
	#repeat(): void {
		const run = new Run(this.#machine, this.#commands);
		let begun: { at: number; finish: () => Buffer } | null = null;
		for (;;) {
			if (this.#places.includes(run.at)) {
				if (begun !== null)
					this.#compareSnapshot(
						begun.at,
						begun.finish(),
						"read while later commands were executed",
					);
				this.#compareSnapshot(run.at, run.snapshot(), "taken in another run");
				begun = { at: run.at, finish: run.beginSnapshot() };
				this.#compareAnswers(run, "in another run");
			}
			if (run.at === this.#commands.length) return;
			this.#compareStep(run.at, run.step(true), "in another run");
		}
	}

	#resume(place: number, snapshot: Buffer): void {
		const run = new Run(this.#machine, this.#commands, { at: place, snapshot });
		const how = `after a restore from the snapshot of command ${place}`;
		for (;;) {
			if (this.#places.includes(run.at)) {
				this.#compareSnapshot(run.at, run.snapshot(), `taken ${how}`);
				this.#compareAnswers(run, how);
			}
			if (run.at === this.#commands.length) return;
			this.#compareStep(run.at, run.step(true), how);
		}
	}

	#snapshotAt(place: number): Buffer {
		return this.#snapshots.get(place) as Buffer;
	}

	#compareStep(at: number, step: Step, how: string): void {
		const expected = this.#steps[at] as Step;
		for (const what of ["result", "event", "digest"] as const)
			compare(expected[what], step[what], {
				...{ what, command: at + 1 },
				subject: `the ${what} of command ${at + 1} is another one ${how}`,
			});
	}

	#compareSnapshot(at: number, snapshot: Buffer, how: string): void {
		compare(this.#snapshotAt(at), snapshot, {
			...{ what: "snapshot", command: at },
			subject: `the snapshot after command ${at} is another one ${how}`,
		});
	}

	/** With those of the run that was first asked there. */
	#compareAnswers(run: Run<State>, how: string): void {
		const answers = this.#queries.map((query) => run.answer(query));
		const known = this.#answers.get(run.at);
		if (known === undefined) this.#answers.set(run.at, answers);
		else
			answers.forEach((answer, at) => {
				compare(known[at] ?? null, answer, {
					...{ what: "answer", command: run.at },
					subject: `the answer to query ${at + 1} after command ${run.at} is another one ${how}`,
				});
			});
	}
}

function compare(
	expected: Buffer | null,
	found: Buffer | null,
	about: {
		readonly what: string;
		readonly command: number;
		readonly subject: string;
	},
): void {
	const isEqual =
		expected === null || found === null
			? expected === found
			: expected.equals(found);
	if (isEqual) return;
	throw new Fault(
		about.what,
		about.command,
		`${about.subject}: ${shown(expected, found)}, then ${shown(found, expected)}`,
	);
}

const shownBytes = 48;

/** The part from a little before the first byte that differs. */
function shown(bytes: Buffer | null, other: Buffer | null): string {
	if (bytes === null) return "none";
	let at = 0;
	while (at < bytes.length && bytes[at] === other?.[at]) at++;
	const from = Math.max(0, at - 8);
	const part = bytes.subarray(from, from + shownBytes);
	const isText = part.every((byte) => byte >= 0x20 && byte < 0x7f);
	const text = isText ? JSON.stringify(part.toString()) : part.toString("hex");
	return `${text} (from byte ${from} of ${bytes.length})`;
}
