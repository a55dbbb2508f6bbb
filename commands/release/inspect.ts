import { Args } from "@oclif/core";
import { OfflineCommand } from "../../src/cli/offline-command.js";
import { inspectHere } from "../../src/operations/releases/here.js";

export default class ReleaseInspect extends OfflineCommand<
	typeof ReleaseInspect
> {
	static override summary = "Say what a release holds.";
	static override description =
		"Its version, machine and levels, daemon and Node.js, by its manifest.";
	static override examples = [
		"<%= config.bin %> release inspect orders-1.4.0.tgz",
	];
	static override args = {
		file: Args.string({ required: true, description: "The archive." }),
	};

	async run(): Promise<void> {
		const manifest = await inspectHere(this.args.file);
		const { releaseText } = await import("../../src/cli/upgrade-text.js");
		await this.print(manifest, () => releaseText(manifest));
	}
}
