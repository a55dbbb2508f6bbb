import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../cli/commands.js";
import { linesOf } from "../cli/shell-lines.js";
import {
	githubScripts,
	gitlabJobs,
	gitlabScripts,
	gitlabStages,
	plain,
	program,
	type Script,
	workflow,
} from "./pipelines.js";

const changing = /raftctl (upgrade|operation (resume|abort))\b(?!.*--dry-run)/;

describe.each([
	["GitHub", githubScripts],
	["GitLab", gitlabScripts],
])("the template for %s", (_, scripts) => {
	const changes = scripts.filter(({ text }) => changing.test(plain(text)));
	const lines = scripts.flatMap(({ text }) => linesOf("raftctl", plain(text)));

	it("names only commands and flags that raftctl has", async () => {
		expect(lines.length).toBeGreaterThanOrEqual(7);
		for (const words of lines) await parseCommandLine(words);
	});

	it("finds raftctl where npm ci puts it, and nowhere else", () => {
		const all = scripts.map(({ text }) => text.replaceAll(program, ""));
		expect(all.filter((text) => text.includes("raftctl "))).toEqual([]);
	});

	it("asks nothing, waits for others, and writes a report, wherever it changes something", () => {
		expect(changes.map(({ text }) => wordsBehind(text)).sort()).toEqual(
			expect.arrayContaining([
				...["operation abort", "operation resume", "upgrade --to"],
				...["upgrade finalize", "upgrade rollback"],
			]),
		);
		for (const { text } of changes)
			expect(text).toMatch(/ --yes --lock-wait \d+m .*--report \S+/);
	});

	it("lets raftctl itself hear that the job is cancelled", () => {
		for (const { text } of changes)
			expect(text).toMatch(/^exec \.\/node_modules\/\.bin\/raftctl [^\n;&|]*$/);
	});

	it("puts nothing into a shell's text that somebody else has written", () => {
		for (const { text } of scripts) expect(text).not.toContain("${{");
	});

	it("makes the key's file for its owner alone before the key is in it", () => {
		const text = scripts.map((script) => script.text).join("\n");
		const made = text.indexOf("install -m 600 /dev/null ~/.ssh/id_ed25519");
		expect(made).toBeGreaterThan(0);
		expect(made).toBeLessThan(text.indexOf("> ~/.ssh/id_ed25519"));
	});
});

function wordsBehind(text: string): string {
	return plain(text).split(" ").slice(1, 3).join(" ");
}

describe("the workflow for GitHub", () => {
	const jobs = Object.entries(workflow.jobs);

	it("has jobs that end by themselves, of steps that do one thing each", () => {
		for (const [, job] of jobs) {
			expect(job["runs-on"]).toMatch(/^ubuntu-\d/);
			expect(job["timeout-minutes"]).toBeGreaterThan(0);
			for (const { run, uses } of job.steps)
				expect([run, uses].filter((one) => one !== undefined)).toHaveLength(1);
			for (const { uses } of job.steps)
				if (uses !== undefined) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
			if (job.needs !== undefined)
				expect(Object.keys(workflow.jobs)).toContain(job.needs);
		}
	});

	it("plans on a pull request, applies on main, and finalizes by hand alone", () => {
		expect(workflow.on).toMatchObject({
			pull_request: null,
			push: { branches: ["main"] },
		});
		expect(jobOf("upgrade --to release.tgz --dry-run").if).toContain(
			"== 'pull_request' &&",
		);
		expect(jobOf("upgrade --to release.tgz --yes").if).toBe(
			"github.event_name == 'push'",
		);
		for (const words of ["upgrade finalize", "upgrade rollback"])
			expect(jobOf(words).if).toBe("github.event_name == 'workflow_dispatch'");
	});

	it("has a step for every choice there is by hand", () => {
		const { inputs } = workflow.on.workflow_dispatch as {
			readonly inputs: {
				readonly command: { readonly options: readonly string[] };
			};
		};
		const conditions = workflow.jobs["by-hand"]?.steps.map((step) => step.if);
		for (const option of inputs.command.options)
			expect(conditions).toContain(`inputs.command == '${option}'`);
	});

	it("changes the cluster in one job at a time, and cancels none for the next", () => {
		for (const [name, { concurrency }] of jobs)
			expect(concurrency).toEqual(
				["apply", "by-hand"].includes(name)
					? { group: "raftctl-production", "cancel-in-progress": false }
					: undefined,
			);
	});

	it("gives secrets to one step alone, and none to what builds a pull request", () => {
		const told = jobs.flatMap(([job, { steps }]) =>
			steps
				.filter((step) => JSON.stringify(step).includes("secrets."))
				.map((step) => ({ job, name: step.name, inRun: step.run })),
		);
		expect(told.map(({ job, name }) => `${job}: ${name}`)).toEqual([
			...["plan: Keys", "apply: Keys", "by-hand: Keys"],
		]);
		for (const { inRun } of told) expect(inRun).not.toContain("secrets.");
		expect(workflow.permissions).toEqual({ contents: "read" });
	});

	it("hands the release that it built to whoever rolls it", () => {
		const given = jobs.flatMap(([, { steps }]) =>
			steps.flatMap(({ uses, with: given }) =>
				/(up|down)load-artifact/.test(uses ?? "") ? [given?.name] : [],
			),
		);
		expect(given).toEqual(["release", "release", "release"]);
	});

	function jobOf(words: string) {
		return workflow.jobs[scriptWith(githubScripts, words).job] as {
			readonly if?: string;
		};
	}
});

describe("the pipeline for GitLab", () => {
	it("has jobs in stages that there are, which need jobs that there are", () => {
		for (const [, { stage, needs = [], timeout }] of gitlabJobs) {
			expect(gitlabStages).toContain(stage);
			expect(timeout).toMatch(/^\d+ (minutes|hours)$/);
			for (const name of needs) expect([...gitlabJobs.keys()]).toContain(name);
		}
	});

	it("plans on a merge request, applies on the default branch, and finalizes by hand alone", () => {
		const rulesOf = (words: string) =>
			gitlabJobs.get(scriptWith(gitlabScripts, words).job)?.rules;
		expect(rulesOf("upgrade --to release.tgz --dry-run")).toEqual([
			{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' },
		]);
		const onMain = { if: "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" };
		expect(rulesOf("upgrade --to release.tgz --yes")).toEqual([onMain]);
		for (const words of ["upgrade finalize", "upgrade rollback"])
			expect(rulesOf(words)).toEqual([
				{ ...onMain, when: "manual", allow_failure: true },
			]);
	});

	it("changes the cluster in one job at a time, and keeps the report however it ends", () => {
		for (const [name, job] of gitlabJobs) {
			const isChange = !["release", "plan"].includes(name);
			expect(job.resource_group).toBe(
				isChange ? "raftctl-production" : undefined,
			);
			if (isChange)
				expect(job.artifacts).toMatchObject({
					...{ when: "always", reports: { junit: "report.xml" } },
				});
		}
	});
});

function scriptWith(scripts: readonly Script[], words: string): Script {
	const found = scripts.find(({ text }) => plain(text).includes(words));
	if (found === undefined) throw new Error(`no script has ${words}`);
	return found;
}
