import { Args } from "@oclif/core";
import { OfflineCommand } from "../../src/cli/offline-command.js";
import { localHost } from "../../src/hosts/local.js";
import { readArchive } from "../../src/operations/releases/archive.js";

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
		const manifest = await readArchive(localHost(), this.args.file);
		const { releaseText } = await import("../../src/cli/upgrade-text.js");
		await this.print(manifest, () => releaseText(manifest));
	}
}
