import { OfflineCommand, offlineFlags } from "../src/cli/offline-command.js";
import { doctor, doctorReport } from "../src/operations/doctor.js";

export default class Doctor extends OfflineCommand<typeof Doctor> {
	static override summary = "Say whether a node's data directory is whole.";
	static override description =
		"Reads identity, log and snapshots of a node that is down, changes nothing, and tells each problem with what it means and what to do. Exits with 0 when all is well, 10 when a start repairs it, 11 when it is damaged or of a later release, 13 when the node runs and its log could not be read.";
	static override examples = [
		"<%= config.bin %> doctor --data-dir /var/lib/raftd/n1",
		"<%= config.bin %> doctor --data-dir /var/lib/raftd/n1 --json",
	];
	static override flags = offlineFlags;

	async run(): Promise<void> {
		const raftd = await this.offline(this.flags["data-dir"]);
		if (this.outputMode === "table") {
			this.exitWith(await doctor(raftd));
			return;
		}
		const { report, exitCode } = await doctorReport(raftd);
		await this.print(report, () => "");
		this.exitWith(exitCode);
	}
}
