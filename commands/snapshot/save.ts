import { Flags } from "@oclif/core";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { saveSnapshot } from "../../src/operations/snapshots/save.js";

export default class SnapshotSave extends OperatorCommand<typeof SnapshotSave> {
	static override summary = "Take a snapshot and copy it here.";
	static override description =
		"A caught-up follower takes it, so that the leader is not kept from its work. The file is whole under its name or not there: it is written beside it as .part. A broken connection is taken up where it broke. Overwrites nothing.";
	static override examples = [
		"<%= config.bin %> snapshot save",
		"<%= config.bin %> snapshot save --file /backups/orders.snapshot --node n3",
	];
	static override flags = {
		file: Flags.string({
			char: "f",
			helpValue: "<file>",
			summary: "Where to; by default <cluster>-<index>.snapshot, here.",
		}),
		node: Flags.string({
			char: "n",
			helpValue: "<node>",
			summary: "The node that takes it; by default a caught-up follower.",
		}),
	};

	async run(): Promise<void> {
		const { file, node } = this.flags;
		const report = await withContext(await this.operating(), (context) =>
			saveSnapshot(context, {
				...{ node: node ?? null, file: file ?? null },
				workingDirectory: process.cwd(),
			}),
		);
		const { savedText } = await import("../../src/cli/snapshot-text.js");
		await this.print(report, () => savedText(report));
	}
}
