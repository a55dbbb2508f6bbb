import { Args } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	durationFlag,
	lockWaitFlag,
	namedNodes,
	nodeFlag,
	planFlags,
	reportFlag,
} from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { OperatorError } from "../src/errors.js";
import { drain, planDrain } from "../src/operations/drain.js";
import { withContext } from "../src/operations/open-context.js";

export default class Drain extends OperatorCommand<typeof Drain> {
	static override summary = "Move every connection away from a node.";
	static override description =
		"The node goes on voting and replicating, but takes no connections. The drain ends by itself after --for, or with `undrain`.";
	static override examples = [
		"<%= config.bin %> drain n2 --for 10m",
		"<%= config.bin %> drain --node n2 --dry-run",
	];
	static override args = {
		node: Args.string({ description: "The node's id; or give --node." }),
	};
	static override flags = {
		node: nodeFlag,
		...planFlags,
		for: durationFlag({
			default: 600_000,
			summary: "When the drain ends by itself; at most 10m.",
		}),
		"lock-wait": lockWaitFlag,
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		requireLasting(this.flags.for);
		const nodes = namedNodes(this.args.node, this.flags.node);
		await this.planOrRun(this.flags, {
			withContext,
			plan: (context) => planDrain(context, { nodes }),
			run: (context) =>
				drain(context, {
					nodes,
					forMs: this.flags.for,
					lockWaitMs: this.flags["lock-wait"],
					canary: canaryUse(this.flags),
				}),
			text: ({ endsInMs }) =>
				`drained: ${nodes.join(", ")}; connections are taken again in ${Math.round(endsInMs / 1000)} s, or with undrain`,
		});
	}
}

/** As every node has it: a drain that nobody can renew must not outlive its operator for long. */
function requireLasting(forMs: number): void {
	if (forMs <= 600_000) return;
	throw new OperatorError("usage", "a drain lasts ten minutes at most", {
		state: "nothing was touched",
		next: "give --for 10m or less, and drain again when it is over",
	});
}
