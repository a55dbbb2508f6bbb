import { type ChildProcess, spawn } from "node:child_process";
import {
	chmod,
	mkdir,
	readFile,
	rm,
	stat,
	symlink,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../cli/raftctl.js";
import {
	githubScripts,
	gitlabScripts,
	plain,
	root,
	type Script,
} from "../templates/pipelines.js";
import { eventually, LocalCluster } from "./local-cluster.js";

/**
 * The scripts of the templates, given to bash as a runner would: no terminal, no input, CI=true, in a checkout of a package
 * that depends on raftctl. Only the runner itself is played, how long the first node has to hold is cut short, and Node.js stays out of the release.
 */
const limitMs = 300_000;
let cluster: LocalCluster;
let commits = 0;

const at = (path: string) => join(cluster.directory, path);

beforeAll(async () => {
	cluster = await LocalCluster.create({ portBase: 25_100 });
	const { directory } = cluster;
	await mkdir(at("node_modules/.bin"), { recursive: true });
	await symlink(root, at("node_modules/raftctl"));
	await executable(
		at("node_modules/.bin/raftctl"),
		`#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`,
	);
	// What a runner has, and this machine need not.
	await mkdir(at("programs"));
	await executable(at("programs/npm"), '#!/bin/sh\n[ "$*" = ci ]\n');
	await executable(
		at("programs/gh"),
		`#!/bin/sh\nprintf '%s\\n' "$@" > "${directory}/gh.txt"\n`,
	);
	await mkdir(at("home"));
	const newer = await readFile(join(root, "templates/machine/machine.js"));
	await writeFile(at("machine.js"), newer);
	const older = newer
		.toString("utf8")
		.replace("reads: [1, 2], writes: 2", "reads: [1, 1], writes: 1");
	await writeFile(at("machine-1.js"), older);
	const text = await readFile(cluster.file, "utf8");
	const lines = ["app: ./machine-1.js", "canary:", ...canary, ""];
	await writeFile(cluster.file, `${text}\n${lines.join("\n")}`);
	await cluster.succeed(["up"]);
}, limitMs);

afterAll(() => cluster?.dispose(), limitMs);

/** A bank opens an account once, and answers all the same. */
const canary = [
	"  write:",
	"    path: /v1/command",
	'    body: \'{"op":"open","account":"canary","amount":"1"}\'',
	"  read:",
	"    path: /v1/query",
	'    body: \'{"account":"canary"}\'',
];

async function executable(path: string, text: string): Promise<void> {
	await writeFile(path, text);
	await chmod(path, 0o755);
}

interface Shell {
	readonly child: ChildProcess;
	readonly done: Promise<{
		readonly code: number | null;
		readonly signal: string | null;
		readonly said: string;
	}>;
	said(): string;
}

function shell(text: string, env: Readonly<Record<string, string>>): Shell {
	const quick = text
		.replace("--soak 1m", "--soak 200ms")
		.replace(" --runtime", "");
	const child = spawn(
		"bash",
		["--noprofile", "--norc", "-eo", "pipefail", "-c", quick],
		{
			cwd: cluster.directory,
			env: {
				PATH: `${at("programs")}:${process.env.PATH}`,
				...{ CI: "true", HOME: at("home"), RAFTCTL_CONFIG: "cluster.yaml" },
				...env,
			},
			stdio: ["ignore", "pipe", "pipe"],
		},
	);
	let said = "";
	for (const stream of [child.stdout, child.stderr])
		stream?.on("data", (chunk) => {
			said += chunk;
		});
	return {
		child,
		said: () => said,
		done: new Promise((resolve, reject) => {
			child.on("error", reject);
			child.on("close", (code, signal) => resolve({ code, signal, said }));
		}),
	};
}

/** The variables that the runner sets, and the secrets as a person has entered them. */
function runner(): Readonly<Record<string, string>> {
	return {
		GITHUB_SHA: `${commits}`.padEnd(40, "c0ffee"),
		GITHUB_STEP_SUMMARY: at("summary.md"),
		GITHUB_REPOSITORY: "orders/orders",
		CI_COMMIT_SHORT_SHA: `${commits}`.padStart(8, "beef"),
		RAFTCTL_SSH_KEY_BASE64: Buffer.from(secret).toString("base64"),
		RAFTCTL_KNOWN_HOSTS: "h1 ssh-ed25519 AAAA",
	};
}

const secret = "-----BEGIN OPENSSH PRIVATE KEY-----\nno such key\n";
/** What GitHub would put in the place of its expressions. */
const filledIn: Readonly<Record<string, string>> = {
	SSH_KEY: secret,
	KNOWN_HOSTS: "h1 ssh-ed25519 AAAA",
	GH_TOKEN: "token",
	NUMBER: "17",
};

function environment(script: Script): Readonly<Record<string, string>> {
	const own = Object.keys(script.env).map((name) => {
		const value = filledIn[name];
		if (value === undefined) throw new Error(`nobody fills ${name} in`);
		return [name, value];
	});
	return { ...runner(), ...Object.fromEntries(own) };
}

/** Every script of the job that `wanted` has a say in, one after the other; each must go well. */
async function run(
	scripts: readonly Script[],
	job: string,
	wanted: (script: Script) => boolean = () => true,
): Promise<string> {
	let all = "";
	for (const script of scripts.filter(
		(one) => one.job === job && wanted(one),
	)) {
		const { code, said } = await shell(script.text, environment(script)).done;
		if (code !== 0)
			throw new Error(`${job}: "${script.name}" ended with ${code}\n${said}`);
		all += said;
	}
	return all;
}

/** Begins the roll of a job, and has the runner cancel it once a node has been restarted. */
async function cancelled(
	scripts: readonly Script[],
	signals: readonly (readonly [NodeJS.Signals, number])[],
) {
	const script = scripts.find(
		({ job, text }) => job === "apply" && text.startsWith("exec "),
	) as Script;
	const { child, done, said } = shell(script.text, environment(script));
	const ended = done.then(() => true);
	await eventually(
		async () => child.exitCode !== null || /done .*take it back/.test(said()),
		"the first node's end",
		120_000,
	);
	expect(child.exitCode, said()).toBeNull();
	for (const [signal, graceMs] of signals) {
		child.kill(signal);
		const over = new Promise<false>((resolve) =>
			setTimeout(() => resolve(false), graceMs).unref(),
		);
		if (await Promise.race([ended, over])) break;
	}
	child.kill("SIGKILL");
	return done;
}

/** GitHub: Ctrl-C, SIGTERM after 7.5 s, and the end after 2.5 s more. GitLab: SIGTERM, and the end after 10 s. */
const asGithub = [
	["SIGINT", 7_500],
	["SIGTERM", 2_500],
] as const;
const asGitlab = [["SIGTERM", 10_000]] as const;

async function releases(): Promise<readonly string[]> {
	const { nodes } = await cluster.json(["upgrade", "status"]);
	return nodes.map(({ release }: { release: string }) => release);
}

function expectSound(): Promise<unknown> {
	return eventually(
		async () => (await cluster.run(["health"])).exitCode === 0,
		"a healthy cluster",
	);
}

/** By the journal; null when nothing is left to take up. */
async function unfinished(): Promise<string | null> {
	const { operations } = await cluster.json(["operation", "list"]);
	const left = operations.find(
		(one: { unfinished: boolean }) => one.unfinished,
	);
	return left?.record?.operation ?? null;
}

async function modeOf(path: string): Promise<string> {
	return ((await stat(path)).mode & 0o777).toString(8);
}

const step = (words: string) => (script: Script) =>
	!plain(script.text).startsWith("raftctl") ||
	plain(script.text).startsWith(`raftctl ${words}`);

describe("the workflow for GitHub", () => {
	const again = async () => {
		commits++;
		await rm(at("release.tgz"), { force: true });
		await run(githubScripts, "release");
	};

	it(
		"shows on a pull request what a merge would do, and touches nothing",
		async () => {
			await again();
			const before = await releases();
			await run(githubScripts, "plan");
			expect(await readFile(at("summary.md"), "utf8")).toMatch(
				/### What a merge would do\n```\n.*stop and start.*```\n/s,
			);
			expect(await readFile(at("gh.txt"), "utf8")).toContain("plan.md");
			expect(await releases()).toEqual(before);
		},
		limitMs,
	);

	it("keeps the key where only its owner reads it, and shows it nowhere", async () => {
		expect(await modeOf(at("home/.ssh"))).toBe("700");
		expect(await modeOf(at("home/.ssh/id_ed25519"))).toBe("600");
		const kept = await readFile(at("home/.ssh/id_ed25519"), "utf8");
		expect(kept.trim()).toBe(secret.trim());
		for (const file of ["summary.md", "plan.md", "plan.txt"])
			expect(await readFile(at(file), "utf8")).not.toContain("no such key");
	});

	it(
		"fails a plan that would be refused",
		async () => {
			await cluster.succeed(["drain", "n3"]);
			await expect(run(githubScripts, "plan")).rejects.toThrow(
				'"Plan" ended with 1',
			);
			expect(await readFile(at("plan.txt"), "utf8")).toContain("n3");
			await cluster.succeed(["undrain", "n3"]);
		},
		limitMs,
	);

	it(
		"rolls the release once it is on main, and writes its report into the summary",
		async () => {
			await rm(at("summary.md"));
			await run(githubScripts, "apply");
			const { GITHUB_SHA = "" } = runner();
			const version = `1.0.0-${GITHUB_SHA.slice(0, 12)}`;
			expect(new Set(await releases())).toEqual(new Set([version]));
			expect(await readFile(at("summary.md"), "utf8")).toContain("upgrade");
		},
		limitMs,
	);

	it(
		"leaves what can be resumed when it is cancelled in the midst of a roll",
		async () => {
			await again();
			const { said } = await cancelled(githubScripts, asGithub);
			expect(said).not.toContain("there is nobody to ask");
			expect(await unfinished()).toBe("upgrade");
			await run(githubScripts, "by-hand", step("operation resume"));
			expect(new Set(await releases()).size).toBe(1);
			await expectSound();
		},
		limitMs,
	);

	it(
		"goes back by hand, and forth, and finalizes",
		async () => {
			const newest = await releases();
			await run(githubScripts, "by-hand", step("upgrade rollback"));
			expect(await releases()).not.toEqual(newest);
			await run(githubScripts, "apply");
			await run(githubScripts, "by-hand", step("upgrade finalize"));
			const { writeLevel } = await cluster.json(["status"]);
			expect(writeLevel).toMatchObject({ level: 2 });
			await expectSound();
		},
		limitMs,
	);
});

describe("the pipeline for GitLab", () => {
	it(
		"plans, rolls, and keeps its report for GitLab",
		async () => {
			commits++;
			await rm(at("release.tgz"), { force: true });
			await rm(at("home/.ssh"), { recursive: true });
			await run(gitlabScripts, "release");
			const plan = await run(gitlabScripts, "plan");
			expect(plan).toContain("stop and start");
			expect(await modeOf(at("home/.ssh/id_ed25519"))).toBe("600");
			expect(await readFile(at("home/.ssh/id_ed25519"), "utf8")).toBe(secret);
			await run(gitlabScripts, "apply");
			expect(await readFile(at("report.xml"), "utf8")).toContain("<testsuite");
			await run(gitlabScripts, "finalize");
			await expectSound();
		},
		limitMs,
	);

	it(
		"leaves what can be given up when it is cancelled, and rolled back",
		async () => {
			commits++;
			await rm(at("release.tgz"), { force: true });
			await run(gitlabScripts, "release");
			await cancelled(gitlabScripts, asGitlab);
			await run(gitlabScripts, "abort");
			expect(await unfinished()).toBeNull();
			await run(gitlabScripts, "rollback");
			expect(new Set(await releases()).size).toBe(1);
			await expectSound();
		},
		limitMs,
	);
});
