import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

export const root = resolve(import.meta.dirname, "../..");

/** What one job has a shell do. */
export interface Script {
	readonly job: string;
	readonly name: string;
	readonly text: string;
	/** Of the step alone, as it is written. */
	readonly env: Readonly<Record<string, string>>;
}

export interface GithubStep {
	readonly name?: string;
	readonly if?: string;
	readonly uses?: string;
	readonly run?: string;
	readonly with?: Readonly<Record<string, unknown>>;
	readonly env?: Readonly<Record<string, string>>;
}

export interface GithubJob {
	readonly if?: string;
	readonly needs?: string;
	readonly "runs-on"?: string;
	readonly "timeout-minutes"?: number;
	readonly environment?: string;
	readonly permissions?: Readonly<Record<string, string>>;
	readonly concurrency?: Readonly<Record<string, unknown>>;
	readonly steps: readonly GithubStep[];
}

interface GithubWorkflow {
	readonly on: Readonly<Record<string, unknown>>;
	readonly env: Readonly<Record<string, string>>;
	readonly permissions: Readonly<Record<string, string>>;
	readonly jobs: Readonly<Record<string, GithubJob>>;
}

export interface GitlabJob {
	readonly stage?: string;
	readonly needs?: readonly string[];
	readonly timeout?: string;
	readonly resource_group?: string;
	readonly rules?: readonly Readonly<Record<string, unknown>>[];
	readonly before_script?: readonly string[];
	readonly script?: readonly string[];
	readonly artifacts?: Readonly<Record<string, unknown>>;
	readonly extends?: string;
}

function read(name: string): unknown {
	return parse(readFileSync(join(root, "templates/ci", name), "utf8"), {
		...{ version: "1.2", strict: true, uniqueKeys: true },
	});
}

export const workflow = read("github-actions.yml") as GithubWorkflow;

export const githubScripts: readonly Script[] = Object.entries(
	workflow.jobs,
).flatMap(([job, { steps }]) =>
	steps.flatMap(({ name, run, env = {} }) =>
		run === undefined ? [] : [{ job, name: name ?? run, text: run, env }],
	),
);

const gitlabFile = read("gitlab-ci.yml") as Readonly<
	Record<string, GitlabJob>
> & { readonly stages: readonly string[]; readonly default: GitlabJob };

/** Words of the file itself; whatever else stands at its top is a job, and one that begins with a dot is a part of others. */
const words = ["workflow", "stages", "default", "variables"];

export const gitlabStages = gitlabFile.stages;

/** With what they are made of put in, as GitLab does: a job's own keys stand for those of what it extends. */
export const gitlabJobs: ReadonlyMap<string, GitlabJob> = new Map(
	Object.keys(gitlabFile)
		.filter((name) => !words.includes(name) && !name.startsWith("."))
		.map((name) => [name, { ...gitlabFile.default, ...whole(name) }]),
);

function whole(name: string): GitlabJob {
	const job = gitlabFile[name];
	if (job === undefined) throw new Error(`there is no job ${name}`);
	return { ...(job.extends ? whole(job.extends) : {}), ...job };
}

export const gitlabScripts: readonly Script[] = [...gitlabJobs].flatMap(
	([job, { before_script = [], script = [] }]) =>
		[...before_script, ...script].map((text) => ({
			...{ job, name: text.split("\n", 1)[0] ?? "", text, env: {} },
		})),
);

/** As it stands in a package that depends on raftctl. */
export const program = "./node_modules/.bin/raftctl";

/** The name alone in its place, for whoever reads command lines. */
export function plain(text: string): string {
	return text
		.replaceAll(`exec ${program}`, program)
		.replaceAll(program, "raftctl");
}
