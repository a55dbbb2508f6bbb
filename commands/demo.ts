import { join } from "node:path";
import { Flags } from "@oclif/core";
import { ClusterCommand } from "../src/cli/cluster-command.js";
import { OperatorError } from "../src/errors.js";
import { demo } from "../src/operations/demo/demo.js";
import { shortcomings } from "../src/operations/demo/summary.js";

export default class Demo extends ClusterCommand<typeof Demo> {
	static override summary =
		"Start a cluster here, put load on it, restart it under the load.";
	static override description =
		"Everything is real and nothing is kept: nodes and a balancer as processes of this machine, writers and readers over plain HTTP and subscribers over WebSockets through the balancer, and `raftctl rolling-restart` under them. Afterwards every acknowledged write is read back from every node. Fails when a request failed, an event was missed or came twice, a write was lost, or a subscriber moved more often than it had to.";
	static override examples = [
		"<%= config.bin %> demo",
		"<%= config.bin %> demo --writers 10 --subscribers 50 --json",
	];
	static override flags = {
		nodes: Flags.integer({
			min: 1,
			max: 9,
			default: 3,
			summary: "How many voters.",
		}),
		writers: Flags.integer({
			min: 1,
			max: 1000,
			default: 50,
			summary: "How many clients write, each as fast as it is answered.",
		}),
		readers: Flags.integer({
			min: 0,
			max: 1000,
			default: 20,
			summary: "How many clients read what was written.",
		}),
		subscribers: Flags.integer({
			min: 0,
			max: 10_000,
			default: 200,
			summary: "How many WebSockets follow every change.",
		}),
	};

	async run(): Promise<void> {
		const { nodes, writers, readers, subscribers } = this.flags;
		const summary = await demo({
			nodes,
			writers,
			readers,
			subscribers,
			warmUpMs: 1000,
			node: this.programs().node,
			raftctl: join(this.config.root, "dist", "raftctl.cjs"),
			emit: this.emit,
			signal: this.signal,
		});
		const { demoText } = await import("../src/cli/demo-text.js");
		await this.print(summary, () => demoText(summary));
		const problems = shortcomings(summary);
		if (problems.length > 0 && this.outputMode === "table") {
			throw new OperatorError("unhealthy", "the roll was noticed", {
				problems,
			});
		}
		if (problems.length > 0) this.exitAs("unhealthy");
	}
}
