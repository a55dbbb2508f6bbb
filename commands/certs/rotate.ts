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
	type RotateReport,
	rotateCertificates,
} from "../../src/operations/certs/rotate.js";
import { withContext } from "../../src/operations/open-context.js";
import {
	planOperation,
	runOperation,
} from "../../src/operations/run-operation.js";

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
		const { until, "dry-run": dryRun } = this.flags;
		const make = () => rotateCertificates({ until });
		const inventory = await this.inventory();
		const question =
			until === "trust"
				? `Let every node of ${inventory.name} believe a new authority, too?`
				: `Replace the authority of ${inventory.name}? Applications that verify nodes must believe the new one by then.`;
		const operating = await this.operating(inventory);
		if (dryRun) {
			const plan = await withContext(operating, (context) =>
				planOperation(context, make()),
			);
			return this.printPlan(plan, this.flags);
		}
		this.requireAnswer(question);
		const report = (await withContext(operating, (context) =>
			runOperation(context, make, {
				lockWaitMs: this.flags["lock-wait"],
				confirm: () => this.confirm(question),
				canary: canaryUse(this.flags),
			}),
		)) as RotateReport;
		const { certsRotateText } = await import("../../src/cli/certs-text.js");
		await this.print(report, () => certsRotateText(report));
	}
}
