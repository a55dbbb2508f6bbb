import { Args } from "@oclif/core";
import { ClusterCommand } from "../src/cli/cluster-command.js";
import { shells } from "../src/cli/completion/scripts.js";

export default class Autocomplete extends ClusterCommand<typeof Autocomplete> {
	static override summary = "Print a script that completes words for a shell.";
	static override description =
		"Writes nothing into anybody's home directory: put the line of the example into the shell's start-up file. Commands, flags and their values are completed, and nodes by the cluster file of the directory.";
	static override examples = [
		{
			description: "bash, in ~/.bashrc",
			command: "source <(<%= config.bin %> autocomplete bash)",
		},
		{
			description: "zsh, in ~/.zshrc behind compinit",
			command: "source <(<%= config.bin %> autocomplete zsh)",
		},
		{
			description: "fish, in ~/.config/fish/config.fish",
			command: "<%= config.bin %> autocomplete fish | source",
		},
	];
	static override args = {
		shell: Args.option({ options: shells, description: "The shell." })({
			required: true,
		}),
	};

	async run(): Promise<void> {
		const { shell } = this.args;
		const { completionScripts } = await import(
			"../src/cli/completion/scripts.js"
		);
		const script = completionScripts[shell];
		await this.print({ shell, script }, () => script.trimEnd());
	}
}
