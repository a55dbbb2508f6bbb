import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../../errors.js";
import { localHost } from "../../hosts/local.js";

/** The real program, as a person would run it in `directory`. */
export interface Raftctl {
	/** Its result; throws OperatorError with what it said when it fails. */
	run(argv: readonly string[], signal?: AbortSignal): Promise<unknown>;
	clusterFile(): Promise<string>;
}

const timeoutMs = 300_000;

export function raftctlIn(
	directory: string,
	programs: { readonly node: string; readonly raftctl: string },
): Raftctl {
	const file = join(directory, "cluster.yaml");
	const host = localHost();
	return {
		async run(argv, signal) {
			const { stdout, stderr, exitCode } = await host.run(
				[
					programs.node,
					programs.raftctl,
					...argv,
					"--config",
					file,
					"--output",
					"json",
				],
				{ timeoutMs, ...(signal === undefined ? {} : { signal }) },
			);
			if (exitCode === 0) return JSON.parse(stdout);
			throw new OperatorError(
				"unexpected",
				`raftctl ${argv.join(" ")} ended with exit code ${exitCode}`,
				{ problems: problemsOf(stdout, stderr) },
			);
		},
		clusterFile: () => readFile(file, "utf8"),
	};
}

function problemsOf(stdout: string, stderr: string): string[] {
	return [...stdout.split("\n"), ...stderr.split("\n")].filter(
		(line) => line.trim() !== "",
	);
}
