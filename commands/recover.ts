import { Flags } from "@oclif/core";
import {
	lockWaitFlag,
	nodeFlag,
	planFlags,
	reportFlag,
} from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { askForName, requireName } from "../src/cli/typed-name.js";
import { OperatorError } from "../src/errors.js";
import { withContext } from "../src/operations/open-context.js";
import type { Survey } from "../src/operations/recover/recover.js";
import {
	planRecovery,
	recoverCluster,
} from "../src/operations/recover/recover-cluster.js";

export default class Recover extends OperatorCommand<typeof Recover> {
	static override summary =
		"Go on with what is left after a majority was lost for good.";
	static override description =
		"Refused while there is a quorum. Shows what each node holds, proposes the one that has most, and says what may be lost. Then what still runs is stopped, the data of the best is exported to its end, and a new cluster is made of it on the survivors, under a new cluster id: a node of the old cluster that comes back is refused. Old data is moved aside, never removed. Wants the cluster's name typed; --yes is not enough.";
	static override examples = [
		"<%= config.bin %> recover --dry-run",
		"<%= config.bin %> recover",
		"<%= config.bin %> recover --cluster-name orders --yes",
	];
	static override flags = {
		node: nodeFlag,
		"cluster-name": Flags.string({
			helpValue: "<cluster>",
			summary: "The cluster's name, for scripts: the question's answer.",
		}),
		...planFlags,
		"lock-wait": lockWaitFlag,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const wish = { nodes: this.flags.node };
		const given = this.flags["cluster-name"];
		const inventory = await this.inventory();
		const { name } = inventory;
		if (given !== undefined) requireName(given, name, "--cluster-name");
		const told = (survey: Survey) => this.#show(survey);
		await this.planOrRun(this.flags, {
			withContext,
			inventory,
			plan: (context) => planRecovery(context, wish, told),
			run: (context) =>
				recoverCluster(context, wish, {
					...{ lockWaitMs: this.flags["lock-wait"], told },
					confirm: async () => {
						if (given !== undefined) return;
						const what =
							"This makes a new cluster; what may be lost is said above.";
						if (await askForName(what, name, this.signal)) return;
						throw nobodyToType(name);
					},
				}),
			text: async (report) =>
				(await import("../src/cli/disaster-text.js")).recoveredText(report),
		});
	}

	/** Before the question, and beside whatever is printed. */
	async #show(survey: Survey): Promise<void> {
		if (this.outputMode !== "table") return;
		const { surveyText } = await import("../src/cli/disaster-text.js");
		process.stderr.write(`${surveyText(survey)}\n\n`);
	}
}

function nobodyToType(name: string): OperatorError {
	return new OperatorError(
		"usage",
		"there is nobody to type the cluster's name",
		{
			state: "nothing was touched",
			next: `give it with --cluster-name ${name}, once you have read raftctl recover --dry-run`,
		},
	);
}
