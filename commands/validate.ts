import { Flags } from "@oclif/core";
import { ClusterCommand } from "../src/cli/cluster-command.js";
import { clusterFileSchema } from "../src/operations/cluster-file.js";

export default class Validate extends ClusterCommand<typeof Validate> {
	static override summary = "Check the cluster file; name every mistake.";
	static override description =
		"Each mistake is named with file:line:column and a hint. Exits with 2 when there is one. Nothing is touched and nothing is asked of any node.";
	static override examples = [
		"<%= config.bin %> validate --config cluster.yaml",
		"<%= config.bin %> validate --schema > cluster.schema.json",
	];
	static override flags = {
		schema: Flags.boolean({
			summary: "Print the JSON Schema of the cluster file, for editors.",
		}),
	};

	async run(): Promise<void> {
		if (this.flags.schema) {
			const schema = await clusterFileSchema();
			await this.print(schema, () => JSON.stringify(schema, null, 2));
			return;
		}
		const inventory = await this.inventory();
		const { name, nodes, warnings } = inventory;
		await this.print({ valid: true, inventory }, () => {
			const voters = nodes.filter(({ role }) => role === "voter").length;
			const learners = nodes.length - voters;
			const members = learners === 0 ? "" : `, ${learners} learners`;
			const noted = warnings.length === 0 ? "" : ", with warnings";
			const file = this.flags.config === "-" ? "stdin" : this.flags.config;
			return `${file} is valid${noted}: cluster ${name}, ${voters} voters${members}.`;
		});
	}
}
