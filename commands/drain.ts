import { Args } from "@oclif/core";
import { durationFlag, lockWaitFlag } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { drain } from "../src/operations/drain.js";
import { withContext } from "../src/operations/open-context.js";

export default class Drain extends OperatorCommand<typeof Drain> {
	static override summary = "Move every connection away from a node.";
	static override description =
		"The node goes on voting and replicating, but takes no connections. The drain ends by itself after --for, or with `undrain`.";
	static override examples = ["<%= config.bin %> drain n2 --for 10m"];
	static override args = {
		node: Args.string({ required: true, description: "The node's id." }),
	};
	static override flags = {
		for: durationFlag({
			default: 600_000,
			summary: "When the drain ends by itself; at most 10m.",
		}),
		"lock-wait": lockWaitFlag,
	};

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), (context) =>
			drain(context, {
				node: this.args.node,
				forMs: this.flags.for,
				lockWaitMs: this.flags["lock-wait"],
			}),
		);
		const { node, endsInMs } = report;
		await this.print(
			report,
			() =>
				`${node} is drained; it takes connections again in ${Math.round(endsInMs / 1000)} s, or with undrain`,
		);
	}
}
