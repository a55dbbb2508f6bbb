import { Flags } from "@oclif/core";
import { ClusterCommand } from "../src/cli/cluster-command.js";
import { OperatorError } from "../src/errors.js";
import { writeClusterFile } from "../src/operations/cluster-file.js";

export default class Init extends ClusterCommand<typeof Init> {
	static override summary = "Write a cluster file to begin with.";
	static override description =
		"Asks nothing and replaces nothing. The file names a new cluster on this machine; edit it as you like before `raftctl up`.";
	static override examples = [
		"<%= config.bin %> init",
		"<%= config.bin %> init --nodes 5 --name orders --port-base 8100",
	];
	static override flags = {
		nodes: Flags.integer({
			min: 1,
			max: 9,
			default: 3,
			summary: "How many voters.",
		}),
		name: Flags.string({
			default: "demo",
			summary: "What people call the cluster.",
		}),
		"port-base": Flags.integer({
			min: 1024,
			max: 64_000,
			default: 7100,
			summary: "Where its ports begin.",
		}),
	};

	async run(): Promise<void> {
		const { config: path, name, nodes } = this.flags;
		if (path === "-")
			throw new OperatorError("usage", "init writes a file, not stdout", {
				state: "nothing was written",
				next: "name it: raftctl init --config cluster.yaml",
			});
		const written = await writeClusterFile({
			path,
			workingDirectory: process.cwd(),
			name,
			nodes,
			portBase: this.flags["port-base"],
		});
		const config = path === "cluster.yaml" ? "" : ` --config ${path}`;
		await this.print(
			written,
			() =>
				`Wrote ${written.path}: cluster ${name}, nodes ${written.nodes.join(", ")}, applications at ${written.listen}.\nNext: raftctl up${config}`,
		);
	}
}
