import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { httpCaller } from "../../src/operations/demo/http-caller.js";
import { root } from "../docs-pages.js";
import { type Outcome, startRaftctl } from "../e2e/local-cluster.js";
import type { Lab } from "./lab.js";
import { nodeHosts } from "./names.js";
import { until } from "./until.js";

const portBase = 7_100;
const beginLimitMs = 120_000;

/** A team's desk: its cluster file, its application and the real raftctl, for the machines of the lab. */
export class Desk {
	readonly directory: string;
	/** Where applications connect. */
	readonly address: string;

	static async open(lab: Lab): Promise<Desk> {
		const desk = new Desk(
			await mkdtemp(join(tmpdir(), "raftctl-lab-")),
			`${lab.address("lb")}:8080`,
		);
		await writeFile(join(desk.directory, "bank.js"), await bank(1));
		await writeFile(join(desk.directory, "cluster.yaml"), clusterText(lab));
		return desk;
	}

	private constructor(directory: string, address: string) {
		this.directory = directory;
		this.address = address;
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
		let text = "";
		child.stdout?.on("data", (chunk: Buffer) => {
			text += chunk.toString();
			const begun = new RegExp(`"step-started","step":"[^"]*${step}"`);
			if (killed || !begun.test(text)) return;
			killed = true;
			child.kill("SIGKILL");
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

	/** Applications that never try again: what fails here has failed for them. */
	load(clients: number) {
		const failures: string[] = [];
		let [done, stopping] = [0, false];
		const loops = Array.from({ length: clients }, async (_, number) => {
			const caller = httpCaller(this.address, 10_000);
			for (let count = 0; !stopping; count++) {
				const account = `a${number}-${process.hrtime.bigint()}-${count}`;
				try {
					await caller.post("/v1/command", {
						...{ op: "open", account, amount: "1" },
					});
					const { answer } = await caller.post("/v1/query", { account });
					if ((answer as { found?: boolean }).found !== true)
						throw new Error(`${account} was acknowledged and is not there`);
					done++;
				} catch (error) {
					failures.push(String(error));
				}
			}
			caller.close();
		});
		return {
			failures,
			/** It is under way. */
			begun: () =>
				until(
					async () => {
						if (failures.length > 0) throw new Error(failures[0]);
						return done > 50;
					},
					beginLimitMs,
					{ what: "the first fifty requests" },
				),
			async stop() {
				stopping = true;
				await Promise.all(loops);
			},
		};
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

function clusterText(lab: Lab): string {
	const { user, identityFile, knownHosts } = lab.access;
	const hosts = [...nodeHosts, "lb"] as const;
	return `name: orders
id: orders-lab
app: bank.js
portBase: ${portBase}
hosts:
${hosts.map((host) => `  ${host}: ${lab.address(host)}`).join("\n")}
ssh:
  user: ${user}
  identityFile: ${identityFile}
  knownHosts: ${knownHosts}
  config: false
nodes:
${nodeHosts.map((host, at) => `  - { id: n${at + 1}, host: ${host} }`).join("\n")}
balancer: { kind: haproxy, host: lb, listen: "*:8080" }
`;
}
