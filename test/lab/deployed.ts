import type { ChildProcess } from "node:child_process";
import {
	mkdir,
	mkdtemp,
	readFile,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../docs-pages.js";
import { type Outcome, startRaftctl } from "../e2e/local-cluster.js";
import { type ClusterWish, clusterText, frontOf } from "./cluster-text.js";
import type { Lab } from "./lab.js";
import { nodeHosts } from "./names.js";

const everyHost: ClusterWish = {
	...{ name: "orders", hosts: nodeHosts, portBase: 7_100 },
};

/** A team's desk: its cluster file, its application and the real raftctl, for the machines of the lab. */
export class Desk {
	readonly directory: string;
	/** Where applications connect. */
	readonly address: string;

	static async open(lab: Lab, wish: ClusterWish = everyHost): Promise<Desk> {
		const desk = new Desk(
			await mkdtemp(join(tmpdir(), "raftctl-lab-")),
			frontOf(lab, wish),
		);
		// As npm install leaves it beside the application.
		await mkdir(join(desk.directory, "node_modules"));
		await symlink(root, join(desk.directory, "node_modules/raftctl"));
		await writeFile(join(desk.directory, "bank.js"), await bank(1));
		const more = ["app: bank.js", ...(wish.more ?? [])];
		await writeFile(desk.file, clusterText(lab, { ...wish, more }));
		return desk;
	}

	private constructor(directory: string, address: string) {
		this.directory = directory;
		this.address = address;
	}

	/** The cluster file. */
	get file(): string {
		return join(this.directory, "cluster.yaml");
	}

	start(argv: readonly string[]) {
		return startRaftctl(argv, { directory: this.directory });
	}

	run(argv: readonly string[]): Promise<Outcome> {
		return this.start(argv).done;
	}

	async succeed(argv: readonly string[]): Promise<Outcome> {
		const outcome = await this.run(argv);
		if (outcome.exitCode === 0) return outcome;
		throw new Error(
			`raftctl ${argv.join(" ")} ended with ${outcome.exitCode}\n${outcome.stdout}\n${outcome.stderr}`,
		);
	}

	// biome-ignore lint/suspicious/noExplicitAny: a test reads what it asserts on
	async json(argv: readonly string[]): Promise<any> {
		const { stdout } = await this.succeed([...argv, "--json"]);
		return JSON.parse(stdout);
	}

	/** Kills it as soon as a step begins whose id ends so. True when that came about before its end. */
	async killedAt(argv: readonly string[], step: string): Promise<boolean> {
		const { child, done } = this.start([...argv, "-o", "ndjson"]);
		let killed = false;
		onStep(child, new RegExp(`${step}$`), () => {
			killed ||= child.kill("SIGKILL");
		});
		await done;
		return killed;
	}

	/** The next release of the application, which writes what the first cannot read. */
	async buildNext(version: string): Promise<string> {
		const app = join(this.directory, "bank-2.js");
		await writeFile(app, await bank(2));
		const archive = join(this.directory, `bank-${version}.tgz`);
		await this.succeed([
			...["release", "build", "--version", version, "--app", app],
			...["--runtime", "--out", archive],
		]);
		return archive;
	}

	close(): Promise<void> {
		return rm(this.directory, { recursive: true, force: true });
	}
}

/** The bank of the templates; its first release knows level 1 alone. */
async function bank(level: 1 | 2): Promise<string> {
	const text = await readFile(
		join(root, "templates/machine/machine.js"),
		"utf8",
	);
	return level === 2
		? text
		: text.replace("reads: [1, 2], writes: 2", "reads: [1, 1], writes: 1");
}

/** Tells of each step that begins and whose id is such a one, of a raftctl that prints NDJSON. */
function onStep(
	{ stdout }: ChildProcess,
	id: RegExp,
	begun: (step: string) => void,
): void {
	let rest = "";
	stdout?.on("data", (chunk: Buffer) => {
		const lines = `${rest}${chunk}`.split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) {
			const { type, step } = JSON.parse(line);
			if (type === "step-started" && id.test(step)) begun(step);
		}
	});
}
