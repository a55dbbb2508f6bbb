import { Flags } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	planFlags,
	reportFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import {
	planRotation,
	rotateCertificates,
} from "../../src/operations/certs/rotate.js";
import { withContext } from "../../src/operations/open-context.js";

export default class CertsRotate extends OperatorCommand<typeof CertsRotate> {
	static override summary = "Replace the authority; no node is restarted.";
	static override description =
		"First every node believes the old and the new authority, then every node shows a certificate of the new one, then the old one is forgotten; each phase begins when every member has confirmed the one before. Applications that verify nodes need the new ca.crt before the second phase: --until trust ends after the first, and the same command without it goes on.";
	static override examples = [
		"<%= config.bin %> certs rotate --dry-run",
		"<%= config.bin %> certs rotate --until trust --yes",
		"<%= config.bin %> certs rotate --yes --max-failed 0",
	];
	static override flags = {
		until: Flags.option({
			options: ["trust", "use", "drop"] as const,
			default: "drop" as const,
			summary: "The last phase to be gone through.",
		})(),
		...planFlags,
		"lock-wait": lockWaitFlag,
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const wish = { until: this.flags.until };
		const inventory = await this.inventory();
		const question =
			wish.until === "trust"
				? `Let every node of ${inventory.name} believe a new authority, too?`
				: `Replace the authority of ${inventory.name}? Applications that verify nodes must believe the new one by then.`;
		await this.planOrRun(this.flags, {
			withContext,
			...{ inventory, question },
			plan: (context) => planRotation(context, wish),
			run: (context) =>
				rotateCertificates(context, wish, {
					lockWaitMs: this.flags["lock-wait"],
					confirm: () => this.confirm(question),
					canary: canaryUse(this.flags),
				}),
			text: async (report) =>
				(await import("../../src/cli/certs-text.js")).certsRotateText(report),
		});
	}
}
