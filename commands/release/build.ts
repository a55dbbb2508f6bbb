import { Flags } from "@oclif/core";
import { OfflineCommand } from "../../src/cli/offline-command.js";
import { buildHere } from "../../src/operations/releases/here.js";

export default class ReleaseBuild extends OfflineCommand<typeof ReleaseBuild> {
	static override summary =
		"Make a release: one file of daemon and application.";
	static override description =
		'Puts the daemon that came with this raftctl, your application and, with --runtime, Node.js into one archive, which `upgrade --to` brings to the hosts. The application is loaded once, to learn its machine\'s name and levels: one that does not load is not built. What it imports must be in its module, or in node_modules of its directory; "raftctl/machine" is there. The same files make the same archive.';
	static override examples = [
		"<%= config.bin %> release build --version 1.4.0 --app ./orders.js --out orders-1.4.0.tgz",
		"<%= config.bin %> release build --version 1.4.0 --app ./dist --runtime --out orders-1.4.0.tgz",
	];
	static override flags = {
		version: Flags.string({
			required: true,
			helpValue: "<version>",
			summary: "Of daemon and application together, as you count.",
		}),
		app: Flags.string({
			helpValue: "<path>",
			summary:
				"The module with your state machine, or a directory whose package.json names it as main.",
		}),
		runtime: Flags.boolean({
			summary: "Put in the Node.js that runs this raftctl.",
		}),
		out: Flags.string({
			required: true,
			helpValue: "<file>",
			summary: "Where the archive goes; nothing is written over.",
		}),
	};

	async run(): Promise<void> {
		const { version, app = null, runtime, out } = this.flags;
		const report = await buildHere(this.programs(), {
			version,
			app,
			withRuntime: runtime,
			output: out,
		});
		const { builtText } = await import("../../src/cli/upgrade-text.js");
		await this.print(report, () => builtText(report));
	}
}
