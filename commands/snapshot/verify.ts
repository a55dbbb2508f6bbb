import { resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import { OfflineCommand } from "../../src/cli/offline-command.js";
import {
	lookAtFile,
	reportOnFile,
} from "../../src/operations/snapshots/offline.js";

export default class SnapshotVerify extends OfflineCommand<
	typeof SnapshotVerify
> {
	static override summary =
		"Restore a snapshot into a scratch node, and compare.";
	static override description =
		"A drill: every byte is checked, the state is restored with the machine, and what comes out is compared with what went in. Only a restore proves a snapshot. Touches no cluster. Exits with 11 when the file is damaged, or of another machine or a later level.";
	static override examples = [
		"<%= config.bin %> snapshot verify orders-1200.snapshot",
		"<%= config.bin %> snapshot verify orders-1200.snapshot --app ./app.js --json",
	];
	static override args = {
		file: Args.string({ required: true, description: "The file." }),
	};

	static override flags = {
		app: Flags.string({
			helpValue: "<file>",
			summary: "The module of the state machine; by default the bundled one.",
		}),
	};

	async run(): Promise<void> {
		const raftd = { programs: this.programs(), signal: this.signal };
		const wish = {
			word: "verify",
			file: this.args.file,
			app: this.flags.app === undefined ? null : resolve(this.flags.app),
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
