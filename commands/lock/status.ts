import { OperatorCommand } from "../../src/cli/operator-command.js";
import { heldLocks } from "../../src/operations/lock-status.js";
import { withContext } from "../../src/operations/open-context.js";

export default class LockStatus extends OperatorCommand<typeof LockStatus> {
	static override summary = "Who holds the operation lock.";
	static override description =
		"By a quorum's word: holder, operation, step, since when, and when it ends unless the holder renews it. While a restore or a recovery is under way its lock is on the hosts; that one is watched for a few seconds, to tell whether its holder lives.";
	static override examples = ["<%= config.bin %> lock status"];

	async run(): Promise<void> {
		const held = await withContext(await this.operating(), heldLocks);
		const { locksText } = await import("../../src/cli/lock-text.js");
		await this.print(held, () => locksText(held, Date.now()));
	}
}
