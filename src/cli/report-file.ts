import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { extname } from "node:path";
import { OperatorError, reasonOf } from "../errors.js";
import type { OperationEvent } from "../operations/events.js";
import { type Outcome, type Story, StoryTeller } from "./report-story.js";

type Write = (story: Story) => string | Promise<string>;

const formats: Readonly<Record<string, () => Promise<Write>>> = {
	".md": async () => (await import("./report-markdown.js")).markdownReport,
	".xml": async () => {
		const { junitReport } = await import("./report-junit.js");
		return (story) => junitReport(story, hostname() || "unknown");
	},
};

/** The file of --report. It is written twice: at the start, as of an operation that did not end, and at its end. */
export class ReportFile {
	readonly #path: string;
	readonly #write: Write;
	readonly #story: StoryTeller;

	/**
	 * Throws OperatorError "usage" when nothing can be written there: before anything is touched. What an earlier command
	 * left is replaced at once: it must not pass for the report of one that is killed.
	 */
	static async open(path: string, command: string): Promise<ReportFile> {
		const format = formats[extname(path)];
		if (format === undefined)
			throw new OperatorError(
				"usage",
				`it is not known what kind of report ${path} is to be`,
				{
					state: "nothing was touched",
					next: "name a file that ends with .md (Markdown) or .xml (JUnit)",
				},
			);
		const story = new StoryTeller(command, new Date());
		const report = new ReportFile(path, await format(), story);
		await report.end({ how: "running" }).catch((cause: unknown) => {
			throw new OperatorError(
				"usage",
				`the report cannot be written: ${reasonOf(cause)}`,
				{
					state: "nothing was touched",
					next: "name a file in a directory that can be written to",
					cause,
				},
			);
		});
		return report;
	}

	private constructor(path: string, write: Write, story: StoryTeller) {
		this.#path = path;
		this.#write = write;
		this.#story = story;
	}

	observe(event: OperationEvent): void {
		this.#story.observe(event);
	}

	async end(outcome: Outcome): Promise<void> {
		const story = this.#story.tell(new Date(), outcome);
		await writeFile(this.#path, await this.#write(story));
	}
}
