import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { releaseHeldLock } from "../../src/operations/operations.js";

export default class LockRelease extends OperatorCommand<typeof LockRelease> {
	static override summary = "Take the operation lock from its holder.";
	static override description =
		"Seldom needed: the lock of an operator who died ends by itself within 20 s. A holder who lives is fenced off: every node refuses what he asks for from then on, and his operation stays unfinished. Asks first.";
	static override examples = ["<%= config.bin %> lock release"];

	async run(): Promise<void> {
		this.requireAnswer("Take the lock from its holder?");
		const { describeHeld } = await import("../../src/cli/lock-text.js");
		const released = await withContext(await this.operating(), (context) =>
			releaseHeldLock(context, (held) =>
				this.confirm(`Take the lock from ${describeHeld(held)}?`),
			),
		);
		await this.print({ released }, () =>
			released === null
				? "nobody holds the operation lock"
				: `released the lock of ${describeHeld(released)}`,
		);
	}
}
