import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { bundle } from "../bundle.js";
import type { GeneratorOrder, LoadWindow, Writes } from "./orders.js";

const connections = 4;

/** Writes on their way to one node, from a process of their own. */
export class Load {
	readonly #child: ChildProcess;

	/** Connects to the client port of a node. */
	static async to(
		endpoint: string,
		through: "streams" | "library" = "streams",
	): Promise<Load> {
		const program = await bundle(
			through === "streams" ? "load/generator" : "load/client-generator",
		);
		const child = fork(program, [endpoint, `${connections}`]);
		const kill = () => child.kill("SIGKILL");
		process.once("exit", kill);
		child.once("exit", () => process.off("exit", kill));
		const load = new Load(child);
		await load.#said();
		return load;
	}

	private constructor(child: ChildProcess) {
		this.#child = child;
	}

	get pid(): number {
		const { pid } = this.#child;
		if (pid === undefined) throw new Error("the load does not run");
		return pid;
	}

	begin(writes: Writes): void {
		this.#order({ do: "write", writes });
	}

	/** What was answered since `begin` or the last call. */
	async take(): Promise<LoadWindow> {
		this.#order({ do: "take" });
		return await this.#said();
	}

	/** Lets the writes flow for a while. */
	async during(seconds: number): Promise<LoadWindow> {
		await this.take();
		await new Promise((wake) => setTimeout(wake, seconds * 1000));
		return await this.take();
	}

	/** Writes so many, and waits for all answers. */
	async all(writes: Writes & { readonly total: number }): Promise<LoadWindow> {
		this.begin(writes);
		return await this.#said();
	}

	/** Sends nothing more; what is under way is answered. */
	pause(): void {
		this.#order({ do: "stop" });
	}

	async end(): Promise<void> {
		const ended = once(this.#child, "exit");
		this.#child.kill("SIGKILL");
		await ended;
	}

	#order(order: GeneratorOrder): void {
		this.#child.send(order);
	}

	async #said(): Promise<LoadWindow> {
		const gone = new AbortController();
		const ended = once(this.#child, "exit", { signal: gone.signal }).then(
			() => {
				throw new Error("the load has lost its node");
			},
		);
		ended.catch(() => {});
		try {
			const said = once(this.#child, "message", { signal: gone.signal });
			said.catch(() => {});
			const [message] = await Promise.race([said, ended]);
			return message as LoadWindow;
		} finally {
			gone.abort();
		}
	}
}
