import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { listSnapshots } from "../../src/operations/snapshots/list.js";

export default class SnapshotList extends OperatorCommand<typeof SnapshotList> {
	static override summary =
		"The snapshots on every node, and how the schedule fares.";
	static override description =
		"Nodes keep their newest ones by themselves, to start fast and to send to others. Copies that the schedule makes are in its directory.";
	static override examples = [
		"<%= config.bin %> snapshot list",
		"<%= config.bin %> snapshot list --json",
	];

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), listSnapshots);
		const { snapshotsText } = await import("../../src/cli/snapshot-text.js");
		await this.print(report, () => snapshotsText(report, Date.now()));
	}
}
