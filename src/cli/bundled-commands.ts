import { type Command, Errors, Plugin } from "@oclif/core";

/** By command id ("kv:get"): the module, evaluated when it is asked for. */
export type CommandModules = Readonly<
	Record<string, () => Promise<{ readonly default: Command.Class }>>
>;

/** The commands that are part of the program itself; oclif would look for each as a file. */
export class BundledCommands extends Plugin {
	readonly #modules: CommandModules;

	constructor(root: string, modules: CommandModules) {
		super({ root, isRoot: true });
		this.#modules = modules;
	}

	override findCommand(
		id: string,
		options: { must: true },
	): Promise<Command.Class>;
	override findCommand(
		id: string,
		options?: { must: boolean },
	): Promise<Command.Class | undefined>;
	override async findCommand(
		id: string,
		options: { must?: boolean } = {},
	): Promise<Command.Class | undefined> {
		const load = this.#modules[id];
		if (load === undefined) {
			if (options.must) throw new Errors.CLIError(`command ${id} not found`);
			return undefined;
		}
		const { default: command } = await load();
		command.id = id;
		command.plugin = this;
		return command;
	}
}
