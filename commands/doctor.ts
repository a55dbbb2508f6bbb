import { OfflineCommand, offlineFlags } from "../src/cli/offline-command.js";
import { OperatorError } from "../src/errors.js";
import { doctor, doctorReport } from "../src/operations/doctor.js";

export default class Doctor extends OfflineCommand<typeof Doctor> {
	static override summary = "Say whether hosts, or a data directory, are fit.";
	static override description =
		`Without --data-dir: looks at every host of the cluster file and at the ways between them, before a deploy or later: reach and length of a step, clocks, memory, disk, rights of sudo, ports, certificates. Changes nothing. Each finding comes with its remedy. Exits with 0 when nothing stands in the way, 10 when something does, 20 when no host is reached.

With --data-dir: reads identity, log and snapshots of a node of this machine that is down, changes nothing, and tells each problem with what it means and what to do. Exits with 0 when all is well, 10 when a start repairs it, 11 when it is damaged or of a later release, 13 when the node runs and its log could not be read.`;
	static override examples = [
		"<%= config.bin %> doctor",
		"<%= config.bin %> doctor --json",
		"<%= config.bin %> doctor --data-dir /var/lib/raftd/n1",
	];
	static override flags = offlineFlags;

	async run(): Promise<void> {
		const { "data-dir": directory } = this.flags;
		if (directory === undefined && (await this.#checkHosts())) return;
		const raftd = await this.offline(directory);
		if (this.outputMode === "table") {
			this.exitWith(await doctor(raftd));
			return;
		}
		const { report, exitCode } = await doctorReport(raftd);
		await this.print(report, () => "");
		this.exitWith(exitCode);
	}

	/** False where all nodes are processes of this machine: there is nothing to look at. */
	async #checkHosts(): Promise<boolean> {
		const inventory = await this.inventory().catch((error: unknown) => {
			// Without a file there are no hosts; one with mistakes may well have some.
			if (error instanceof OperatorError && error.problems.length > 0)
				throw error;
			return null;
		});
		if (inventory === null) return false;
		const { checkHosts, hostsInUse } = await import(
			"../src/operations/host-checks/check-hosts.js"
		);
		if (hostsInUse(inventory).length === 0) return false;
		const { withContext } = await import("../src/operations/open-context.js");
		const report = await withContext(
			await this.operating(inventory),
			checkHosts,
		);
		const { hostsText } = await import("../src/cli/host-checks-text.js");
		await this.print(report, () => hostsText(report));
		if (report.hosts.every(({ reachable }) => !reachable))
			this.exitAs("unreachable");
		else if (!report.healthy) this.exitAs("unhealthy");
		return true;
	}
}
