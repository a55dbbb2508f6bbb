import { OperatorCommand } from "../../src/cli/operator-command.js";
import { listAlarms } from "../../src/operations/alarms.js";
import { withContext } from "../../src/operations/open-context.js";

export default class AlarmList extends OperatorCommand<typeof AlarmList> {
	static override summary =
		"What stands against nodes until somebody has seen to it.";
	static override description =
		"By a quorum's word: the kind of each alarm, the node that it is about, and what was found. Changes nothing.";
	static override examples = [
		"<%= config.bin %> alarm list",
		"<%= config.bin %> alarm list -o json",
	];

	async run(): Promise<void> {
		const list = await withContext(await this.operating(), listAlarms);
		const { alarmsText } = await import("../../src/cli/alarms-text.js");
		await this.print(list, () => alarmsText(list));
	}
}
