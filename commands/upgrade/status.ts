import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { upgradeStatus } from "../../src/operations/upgrade/status.js";

export default class UpgradeStatus extends OperatorCommand<
	typeof UpgradeStatus
> {
	static override summary =
		"Show which release each node runs, reads and writes.";
	static override description =
		"By each node's own word, asked just now: its release, the levels of entries that it reads and writes, and what it starts with next; the level that the cluster writes; and whether the upgrade can be finalized, or who is in the way. Changes nothing.";
	static override examples = [
		"<%= config.bin %> upgrade status",
		"<%= config.bin %> upgrade status -o json",
	];

	async run(): Promise<void> {
		const status = await withContext(await this.operating(), upgradeStatus);
		const { upgradeText } = await import("../../src/cli/upgrade-text.js");
		await this.print(status, () => upgradeText(status));
	}
}
