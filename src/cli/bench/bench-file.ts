import { open, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import type { BenchReport } from "../../operations/bench/result.js";

/**
 * Where `--report` is to go. Throws OperatorError "usage" when nothing can be written there: before anything is
 * loaded.
 */
export async function requireReportFile(path: string): Promise<void> {
	const kind = extname(path);
	if (kind !== ".html" && kind !== ".svg")
		throw new OperatorError(
			"usage",
			`it is not known what kind of report ${path} is to be`,
			{
				state: "nothing was touched",
				next: "name a file that ends with .html or .svg",
			},
		);
	try {
		await (await open(path, "a")).close();
	} catch (cause) {
		throw new OperatorError(
			"usage",
			`the report cannot be written: ${reasonOf(cause)}`,
			{
				state: "nothing was touched",
				next: "name a file in a directory that can be written to",
				cause,
			},
		);
	}
}

export async function writeReportFile(
	path: string,
	report: BenchReport,
	at: Date,
): Promise<void> {
	const { benchPage, benchSvg } = await import("./bench-page.js");
	const isPage = extname(path) === ".html";
	await writeFile(path, isPage ? benchPage(report, at) : benchSvg(report));
}
