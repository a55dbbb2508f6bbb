import { type Command, Flags } from "@oclif/core";
import { OperatorError } from "../errors.js";
import type { OfflineRaftd } from "../operations/doctor.js";
import { OperatorCommand } from "./operator-command.js";

export const offlineFlags = {
	"data-dir": Flags.string({
		helpValue: "<directory>",
		summary: "The node's data directory, on this machine.",
	}),
};

/** A command that looks at a data directory of this machine, whether or not there is a cluster. */
export abstract class OfflineCommand<
	T extends typeof Command,
> extends OperatorCommand<T> {
	/** Throws OperatorError "usage" when no directory is given; it names those of the cluster file, if there is one. */
	protected async offline(
		dataDirectory: string | undefined,
	): Promise<OfflineRaftd> {
		if (dataDirectory === undefined || dataDirectory === "")
			throw await this.#notSaid();
		return { programs: this.programs(), dataDirectory, signal: this.signal };
	}

	/** The exit code of raftd is that of the command. */
	protected exitWith(code: number): void {
		process.exitCode = code;
	}

	async #notSaid(): Promise<OperatorError> {
		// Without a cluster file, or with one that has mistakes, the answer is the same with fewer examples.
		const nodes = await this.inventory().then(
			(inventory) => inventory.nodes,
			() => [],
		);
		return new OperatorError("usage", "it is not said which data directory", {
			problems: nodes.map(
				({ id, dataDirectory }) => `that of ${id} is ${dataDirectory}`,
			),
			state: "nothing was changed",
			next: `raftctl ${this.id} --data-dir ${nodes[0]?.dataDirectory ?? "<directory>"}, on the machine of the node`,
		});
	}
}
