import { OperatorCommand } from "../src/cli/operator-command.js";
import { diff } from "../src/operations/diff.js";
import { withContext } from "../src/operations/open-context.js";

export default class Diff extends OperatorCommand<typeof Diff> {
	static override summary =
		"Show what differs between the cluster file and the cluster.";
	static override description =
		"Compares the members, their roles and addresses as a quorum has them, the cluster's id, what lies on the hosts for the nodes to read, and the balancer's backends; says of each difference what ends it. Exits with 0 when there is none, with 3 when there is one, with 20 when it could not be asked. Nothing is touched.";
	static override examples = [
		"<%= config.bin %> diff",
		"<%= config.bin %> diff --json",
	];

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), diff);
		const { diffText } = await import("../src/cli/diff-table.js");
		await this.print(report, () => diffText(report));
		if (report.drift) this.exitAs("changes");
		else if (report.unasked.length > 0) this.exitAs("unreachable");
	}
}
