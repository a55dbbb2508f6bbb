import { Args } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	namedNodes,
	nodeFlag,
	planFlags,
	reportFlag,
} from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { planUndrain, undrain } from "../src/operations/undrain.js";

export default class Undrain extends OperatorCommand<typeof Undrain> {
	static override summary = "Let a node take connections again.";
	static override description =
		"Ends the node's drain and waits until the balancer sends it connections. Does nothing where there is no drain.";
	static override examples = ["<%= config.bin %> undrain n2"];
	static override args = {
		node: Args.string({ description: "The node's id; or give --node." }),
	};
	static override flags = {
		node: nodeFlag,
		...planFlags,
		"lock-wait": lockWaitFlag,
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const nodes = namedNodes(this.args.node, this.flags.node);
		await this.planOrRun(this.flags, {
			withContext,
			plan: (context) => planUndrain(context, { nodes }),
			run: (context) =>
				undrain(context, {
					nodes,
					lockWaitMs: this.flags["lock-wait"],
					canary: canaryUse(this.flags),
				}),
			text: () => `taking connections again: ${nodes.join(", ")}`,
		});
	}
}
