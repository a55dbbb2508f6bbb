import { OperatorCommand } from "../../src/cli/operator-command.js";
import { certificatesStatus } from "../../src/operations/certs/status.js";
import { withContext } from "../../src/operations/open-context.js";

export default class CertsStatus extends OperatorCommand<typeof CertsStatus> {
	static override summary =
		"What was issued, what the nodes use, and when it ends.";
	static override description =
		"Reads tls.directory and asks every node. Exits with 10 when something expires within 14 days, a node uses another certificate than the one that lies here, or the authority is being replaced.";
	static override examples = [
		"<%= config.bin %> certs status",
		"<%= config.bin %> certs status --json",
	];

	async run(): Promise<void> {
		const operating = await this.operating();
		const report = await withContext(operating, certificatesStatus);
		const { certsStatusText } = await import("../../src/cli/certs-text.js");
		await this.print(report, () => certsStatusText(report, Date.now()));
		if (report.problems.length > 0) this.exitAs("unhealthy");
	}
}
