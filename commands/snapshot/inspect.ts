import { Args } from "@oclif/core";
import { OfflineCommand } from "../../src/cli/offline-command.js";
import {
	lookAtFile,
	reportOnFile,
} from "../../src/operations/snapshots/offline.js";

export default class SnapshotInspect extends OfflineCommand<
	typeof SnapshotInspect
> {
	static override summary = "Say what a snapshot's file holds.";
	static override description =
		"Reads its header and manifest alone: cluster, index, term, members, machine, level, release, size, when it was taken. `snapshot verify` checks the rest.";
	static override examples = [
		"<%= config.bin %> snapshot inspect orders-1200.snapshot",
	];
	static override args = {
		file: Args.string({ required: true, description: "The file." }),
	};

	async run(): Promise<void> {
		const raftd = { programs: this.programs(), signal: this.signal };
		const wish = {
			word: "inspect",
			file: this.args.file,
			app: null,
		} as const;
		if (this.outputMode === "table") {
			this.exitWith(await lookAtFile(raftd, wish));
			return;
		}
		const { report, exitCode } = await reportOnFile(raftd, wish);
		await this.print(report, () => "");
		this.exitWith(exitCode);
	}
}
