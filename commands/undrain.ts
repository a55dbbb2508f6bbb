import { Args } from "@oclif/core";
import { lockWaitFlag } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { undrain } from "../src/operations/undrain.js";

export default class Undrain extends OperatorCommand<typeof Undrain> {
	static override summary = "Let a node take connections again.";
	static override description =
		"Ends the node's drain and waits until the balancer sends it connections. Does nothing where there is no drain.";
	static override examples = ["<%= config.bin %> undrain n2"];
	static override args = {
		node: Args.string({ required: true, description: "The node's id." }),
	};
	static override flags = { "lock-wait": lockWaitFlag };

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), (context) =>
			undrain(context, {
				node: this.args.node,
				lockWaitMs: this.flags["lock-wait"],
			}),
		);
		await this.print(report, () => `${report.node} takes connections again`);
	}
}
