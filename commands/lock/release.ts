import { OperatorCommand } from "../../src/cli/operator-command.js";
import { releaseHeldLocks } from "../../src/operations/lock-status.js";
import { withContext } from "../../src/operations/open-context.js";

export default class LockRelease extends OperatorCommand<typeof LockRelease> {
	static override summary = "Take the operation lock from its holder.";
	static override description =
		"Seldom needed: the lock of an operator who died ends by itself within 20 s. A holder who lives is fenced off: every node refuses what he asks for from then on, and his operation stays unfinished. The lock that a restore or a recovery has on the hosts is taken as well; its holder ends before his next step. Asks first.";
	static override examples = ["<%= config.bin %> lock release"];

	async run(): Promise<void> {
		this.requireAnswer("Take the lock from its holder?");
		const { describeHeld } = await import("../../src/cli/lock-text.js");
		const { lock, hosts } = await withContext(
			await this.operating(),
			(context) =>
				releaseHeldLocks(context, (held) =>
					this.confirm(`Take the lock from ${describeHeld(held)}?`),
				),
		);
		await this.print({ released: lock, releasedOnHosts: hosts }, () => {
			const released = [lock, hosts].flatMap((held) => held ?? []);
			return released.length === 0
				? "nobody holds the operation lock"
				: released
						.map((held) => `released the lock of ${describeHeld(held)}`)
						.join("\n");
		});
	}
}
