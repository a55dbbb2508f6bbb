import { Flags } from "@oclif/core";
import { durationFlag, nodeFlag } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { OperatorError } from "../src/errors.js";
import { logs, mostLines } from "../src/operations/logs/logs.js";
import { withContext } from "../src/operations/open-context.js";

const usualLines = 100;

export default class Logs extends OperatorCommand<typeof Logs> {
	static override summary = "Show the logs of all nodes in one stream.";
	static override description =
		"By time, each line with its node: from the journals of hosts, and from the files of nodes on this machine. A node whose log cannot be read is named once and does not stop the rest; with --follow its log is gone on with when it can be read again. Exits with 20 when no log could be read.";
	static override examples = [
		"<%= config.bin %> logs --since 10m",
		"<%= config.bin %> logs --follow --node n1 --node n2",
		"<%= config.bin %> logs --lines 1000 -o ndjson",
	];
	static override flags = {
		node: nodeFlag,
		follow: Flags.boolean({
			char: "f",
			summary: "Go on with what is written from now on, until Ctrl-C.",
		}),
		since: durationFlag({
			summary: "Only what was written within this time: 10m, 1h30m.",
		}),
		lines: Flags.integer({
			helpValue: "<count>",
			...{ min: 0, max: mostLines },
			summary: `The newest lines of each node: ${usualLines} by default, ${mostLines} with --since.`,
		}),
	};

	async run(): Promise<void> {
		const { node: nodes, follow, since, lines } = this.flags;
		const { outputMode: output } = this;
		if (follow && (output === "json" || output === "yaml"))
			throw new OperatorError("usage", `what has no end is no ${output}`, {
				state: "nothing was touched",
				next: "give --output ndjson: one JSON object a line",
			});
		const operating = await this.operating();
		const ids = operating.inventory.nodes.map(({ id }) => id);
		const { logView, readerGone } = await import("../src/cli/log-view.js");
		const view = await logView({
			...{ output, nodes: ids, stdout: process.stdout },
			emitLine: this.emitLine,
		});
		// A warning belongs where it happens, not at the end of what has none.
		await this.drawNothing();
		const gone = readerGone(process.stdout);
		const signal = AbortSignal.any([operating.signal, gone]);
		const report = await withContext({ ...operating, signal }, (context) =>
			logs(
				context,
				{
					...{ nodes, follow, sinceMs: since ?? null },
					lines: lines ?? (since === undefined ? usualLines : mostLines),
				},
				view.show,
			),
		);
		const result = view.result(report);
		if (result !== null) await this.print(result, () => "");
		if (report.unread.length === report.nodes.length)
			this.exitAs("unreachable");
		if (this.signal.aborted) this.exitAs(this.signal.reason.kind);
	}
}
