import { join } from "node:path";
import { Command, type Interfaces } from "@oclif/core";
import type { Inventory } from "../config/inventory.js";
import { type ErrorKind, exitCodes, OperatorError } from "../errors.js";
import type { Emit } from "../operations/events.js";
import { orEndOfInput } from "./end-of-input.js";
import { clusterFlags } from "./flags.js";
import { interruption } from "./interruption.js";
import { type Output, serialise } from "./output.js";
import { linesView } from "./progress/lines.js";
import { type ProgressView, viewFor } from "./progress/view.js";
import { readStdin } from "./stdin.js";

/** The programs of this release that run on a host, as absolute paths. */
export interface Programs {
	readonly node: string;
	readonly raftd: string;
	readonly balancer: string;
}

/**
 * What every command shares: flags, the cluster file, the abort signal, progress, result and questions. A command
 * parses nothing itself: `this.flags` and `this.args` are there when `run()` begins. Errors are thrown, not printed:
 * run.ts turns each into a message and an exit code.
 */
export abstract class ClusterCommand<T extends typeof Command> extends Command {
	static override baseFlags = clusterFlags;

	protected flags!: Interfaces.InferredFlags<
		(typeof ClusterCommand)["baseFlags"] & T["flags"]
	>;
	protected args!: Interfaces.InferredArgs<T["args"]>;
	#view: ProgressView | null = null;
	#printing: Promise<void> = Promise.resolve();

	override async init(): Promise<void> {
		await super.init();
		const { flags, args } = await this.parse({
			flags: this.ctor.flags,
			baseFlags: (super.ctor as typeof ClusterCommand).baseFlags,
			args: this.ctor.args,
			strict: this.ctor.strict,
		});
		this.flags = flags as typeof this.flags;
		this.args = args as typeof this.args;
	}

	/** Aborts on the first Ctrl-C or SIGTERM, with an OperatorError as its reason. */
	protected get signal(): AbortSignal {
		return interruption.signal;
	}

	/** Where an operation says what it does; drawn as the output and the terminal allow. */
	protected readonly emit: Emit = (event) => {
		this.#opened().show(event);
	};

	/** With -o ndjson: a line of a result that is a stream, among the events. */
	protected readonly emitLine = (line: { readonly type: string }): void => {
		this.#opened().line?.(line);
	};

	#opened(): ProgressView {
		this.#view ??= viewFor({
			output: this.outputMode,
			stdout: process.stdout,
			stderr: process.stderr,
			now: () => new Date(),
		});
		return this.#view;
	}

	/** Before something is asked in between: what is drawn ends, and progress goes on as lines. */
	protected async drawNothing(): Promise<void> {
		if (this.outputMode !== "table") return;
		const drawn = this.#view;
		const now = () => new Date();
		this.#view = linesView({ sink: process.stderr, now });
		await drawn?.close();
	}

	/** The cluster file, checked; its warnings are emitted. Throws OperatorError "config", naming every mistake. */
	protected async inventory(): Promise<Inventory> {
		const { loadInventory, parseInventory } = await import("../config/load.js");
		const path = this.flags.config;
		const inventory =
			path === "-"
				? parseInventory(await readStdin(), {
						source: "-",
						directory: process.cwd(),
					})
				: await loadInventory(path, process.cwd());
		for (const message of inventory.warnings)
			this.emit({ type: "warning", node: null, message });
		return inventory;
	}

	/** The programs that came with this raftctl. */
	protected programs(): Programs {
		const dist = join(this.config.root, "dist", "src");
		return {
			node: process.execPath,
			raftd: join(dist, "daemon", "main.js"),
			balancer: join(dist, "balancers", "embedded", "main.js"),
		};
	}

	/**
	 * Prints the result on stdout: `tableText` for people (without a final newline), the object for machines. Once a
	 * command; progress ends with it.
	 */
	protected print(result: object, tableText: () => string): Promise<void> {
		this.#printing = this.#print(result, tableText);
		return this.#printing;
	}

	/** The same for a result that is lines, of which there may be none. */
	protected printLines(
		result: object,
		lines: readonly string[],
	): Promise<void> {
		if (lines.length === 0 && this.outputMode === "table")
			return Promise.resolve();
		return this.print(result, () => lines.join("\n"));
	}

	/** Ends the command with this kind's exit code although a result was printed: `health` of a sick cluster. */
	protected exitAs(kind: ErrorKind): void {
		process.exitCode = exitCodes[kind];
	}

	/** Throws OperatorError "usage" when the question could not be answered: at once, not when it comes to it. */
	protected requireAnswer(question: string): void {
		if (this.flags.yes) return;
		if (process.stdin.isTTY && process.stderr.isTTY) return;
		throw new OperatorError("usage", `there is nobody to ask: ${question}`, {
			state: "nothing was touched",
			next: "give the command again with --yes to answer with yes",
		});
	}

	/** Asks a yes-or-no question, default no. Returns only on yes; throws OperatorError otherwise. */
	protected async confirm(question: string): Promise<void> {
		if (this.flags.yes) return;
		this.requireAnswer(question);
		const { default: ask } = await import("@inquirer/confirm");
		const answer = ask(
			{ message: question, default: false },
			{ output: process.stderr, signal: this.signal },
		);
		const agreed = await orEndOfInput(answer).catch((error: unknown) => {
			// The prompt holds the terminal, so Ctrl-C reaches it and not our signal handler.
			throw new OperatorError("interrupted", "interrupted at a question", {
				state: "nothing was touched",
				cause: error,
			});
		});
		if (!agreed)
			throw new OperatorError("refused", "you answered no", {
				state: "nothing was touched",
			});
	}

	/** table, json, yaml or ndjson; `--json` is short for the second. */
	protected get outputMode(): Output {
		return this.flags.json ? "json" : this.flags.output;
	}

	/** Leaves the error as it is: oclif would choose another exit code in each output mode. */
	protected override catch(error: Error): Promise<never> {
		return Promise.reject(error);
	}

	protected override async finally(error: Error | undefined): Promise<void> {
		if (error === undefined) await this.#printing;
		await this.#view?.close();
	}

	async #print(result: object, tableText: () => string): Promise<void> {
		await this.#view?.close();
		const output = this.outputMode;
		if (output === "table") process.stdout.write(`${tableText()}\n`);
		else if (output === "ndjson")
			process.stdout.write(
				await serialise({ version: 1, type: "result", result }, output),
			);
		else process.stdout.write(await serialise(result, output));
	}
}
