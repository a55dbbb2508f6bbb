import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { lockStatus } from "../../src/operations/operations.js";

export default class LockStatus extends OperatorCommand<typeof LockStatus> {
	static override summary = "Who holds the operation lock.";
	static override description =
		"By a quorum's word: holder, operation, step, since when, and when it ends unless the holder renews it.";
	static override examples = ["<%= config.bin %> lock status"];

	async run(): Promise<void> {
		const lock = await withContext(await this.operating(), lockStatus);
		const { lockText } = await import("../../src/cli/lock-text.js");
		await this.print({ lock }, () => lockText(lock, Date.now()));
	}
}
