import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { httpCaller } from "../../../src/operations/demo/http-caller.js";
import type { AcknowledgedWrite } from "../../../src/operations/demo/traffic.js";
import { materialIn } from "../../torture-operations/admin.js";
import type { Place } from "../../torture-operations/ground.js";
import { membersNow } from "../../torture-operations/settled.js";
import { lookAt } from "../../torture-operations/view.js";
import { forEach } from "../all-at-once.js";
import { clusterText, frontOf } from "../cluster-text.js";
import { inside } from "../compare/inside.js";
import type { Lab } from "../lab.js";
import { allHosts, type HostName } from "../names.js";
import {
	type OperatorOptions,
	type OperatorRun,
	type RunningOperator,
	startOperator,
} from "./operator.js";

export interface StageOptions {
	readonly lab: Lab;
	/** The entry file of raftctl. */
	readonly raftctl: string;
	readonly tls: boolean;
	/** Whether clocks can be set, which costs the daemons much of a processor. */
	readonly clocks: boolean;
}

export const cluster = "orders";
const portBase = 7_100;
const founders = ["h1", "h2", "h3"] as const;
/** Where every node is that can be a member: one more than are at once. */
const hosts: Readonly<Record<string, HostName>> = {
	...{ n1: "h1", n2: "h2", n3: "h3", n4: "h4" },
};
export const ids = Object.keys(hosts);
/** What the nodes run at first, and what comes after it. */
export const releases = { first: "1.0.0", next: "2.0.0" } as const;

/** So that a snapshot, or a node that catches up, takes long enough to be met in the middle. */
const ballast = { values: 24, bytes: 2 ** 20 };

/** Only bounds what would hang. */
export const commandLimitMs = 300_000;
const lookLimitMs = 5_000;
/** Also a killed operator's, who holds it for 20 s. */
export const lockWait = ["--lock-wait", "60s"];

/** A cluster of three behind HAProxy, on machines that were bare, and a fourth machine that is ready for a node. */
export class Stage {
	readonly lab: Lab;
	readonly clocks: boolean;
	readonly directory: string;
	/** host:port where applications connect. */
	readonly address: string;
	readonly places: readonly Place[];
	/** Of every round so far. */
	readonly acknowledged: AcknowledgedWrite[] = [];
	readonly #raftctl: string;

	static async deploy(options: StageOptions): Promise<Stage> {
		const { lab, tls, clocks } = options;
		await forEach(allHosts, (host) => lab.replace(host));
		// Before any daemon is started there.
		if (clocks)
			await forEach(Object.values(hosts), (host) => lab.loosenClock(host));
		const wish = {
			...{ name: cluster, hosts: founders, portBase, spare: ["h4"] as const },
			...{ more: tls ? ["tls: {}"] : [] },
		};
		const directory = await mkdtemp(join(tmpdir(), "raftctl-faults-"));
		await writeFile(join(directory, "cluster.yaml"), clusterText(lab, wish));
		const address = frontOf(lab, wish);
		const stage = new Stage({ ...options, directory, address });
		if (tls) await stage.succeed(["certs", "init"]);
		for (const version of Object.values(releases)) {
			const build = ["release", "build", "--version", version, "--runtime"];
			await stage.succeed([...build, "--out", stage.archiveOf(version)]);
		}
		const deploy = ["deploy", "--yes", ...lockWait];
		const archive = stage.archiveOf(releases.first);
		await stage.succeed([...deploy, "--release", archive]);
		await stage.#putBallast();
		return stage;
	}

	private constructor(
		options: StageOptions & {
			readonly directory: string;
			readonly address: string;
		},
	) {
		const { lab, clocks, raftctl, directory, address } = options;
		this.lab = lab;
		this.clocks = clocks;
		this.directory = directory;
		this.address = address;
		this.#raftctl = raftctl;
		const certificates = join(directory, ".raftctl", cluster, "certs");
		const tls = options.tls ? { tls: () => materialIn(certificates) } : {};
		this.places = ids.map((id, at) => {
			const port = portBase + 10 * (at + 1);
			const place = (offset: number) =>
				`${lab.address(this.hostOf(id))}:${port + offset}`;
			return { id, client: place(1), admin: place(2), ...tls };
		});
	}

	async #putBallast(): Promise<void> {
		const caller = httpCaller(this.address, commandLimitMs, this.tls.tls);
		const value = "x".repeat(ballast.bytes);
		for (let number = 0; number < ballast.values; number++) {
			const key = `ballast/${number}`;
			await caller.post("/v1/command", { op: "put", key, value });
		}
		caller.close();
	}

	archiveOf(release: string): string {
		return join(this.directory, `${release}.tgz`);
	}

	/** What applications believe, as it is now; absent where nodes speak plain text. */
	get tls(): { readonly tls?: () => { readonly ca: string } } {
		const material = this.places[0]?.tls;
		return material === undefined ? {} : { tls: () => ({ ca: material().ca }) };
	}

	hostOf(id: string): HostName {
		const host = hosts[id];
		if (host === undefined) throw new Error(`no machine for ${id}`);
		return host;
	}

	start(
		argv: readonly string[],
		hear?: OperatorOptions["hear"],
	): RunningOperator {
		return startOperator(argv, {
			...{ raftctl: this.#raftctl, directory: this.directory },
			...{ limitMs: commandLimitMs, ...(hear === undefined ? {} : { hear }) },
		});
	}

	run(argv: readonly string[]): Promise<OperatorRun> {
		return this.start(argv).ended;
	}

	async succeed(argv: readonly string[]): Promise<OperatorRun> {
		const run = await this.run(argv);
		if (run.exitCode === 0) return run;
		throw new Error(storyOf(argv, run));
	}

	// biome-ignore lint/suspicious/noExplicitAny: callers read what they look for
	async json(argv: readonly string[]): Promise<any> {
		return JSON.parse((await this.succeed([...argv, "--json"])).stdout);
	}

	async members(): Promise<readonly string[]> {
		const looks = this.places.map((place) => lookAt(place, lookLimitMs));
		const members = membersNow(await Promise.all(looks));
		if (members === null) throw new Error("no node knows who takes part");
		return [...members.voters, ...members.learners];
	}

	/** What systemd calls this run of the node's unit. */
	async invocationOf(id: string): Promise<string> {
		const unit = `raftd-${cluster}-${id}.service`;
		const show = ["systemctl", "show", "--value", "--property=InvocationID"];
		return (await inside(this.lab, this.hostOf(id), [...show, unit])).trim();
	}

	/** Has the node that is no member, with its machine set up and its disk empty, in the cluster file. Returns its id. */
	async newcomer(): Promise<string> {
		const members = await this.members();
		const id = ids.find((one) => !members.includes(one));
		if (id === undefined) throw new Error("every node is a member");
		const script = `systemctl stop "$1" 2>/dev/null || true; rm -rf "$2"`;
		const unit = `raftd-${cluster}-${id}.service`;
		const data = `/var/lib/raftctl/${cluster}/${id}/data`;
		const host = this.hostOf(id);
		await inside(this.lab, host, ["sh", "-euc", script, "sh", unit, data]);
		const file = join(this.directory, "cluster.yaml");
		const text = await readFile(file, "utf8");
		if (!text.includes(`id: ${id},`)) {
			const line = `\n  - { id: ${id}, host: ${host} }\nbalancer:`;
			await writeFile(file, text.replace("\nbalancer:", line));
		}
		const prepare = ["deploy", "--node", id, "--yes", ...lockWait];
		const archive = this.archiveOf(releases.first);
		await this.succeed([...prepare, "--release", archive]);
		return id;
	}

	/** What it has on this machine. */
	async close(): Promise<void> {
		await rm(this.directory, { recursive: true, force: true });
	}
}

export function storyOf(
	argv: readonly string[],
	{ exitCode, stdout, stderr }: OperatorRun,
): string {
	const last = stdout.trimEnd().split("\n").at(-1) ?? "";
	return `raftctl ${argv.join(" ")} ended with ${exitCode}\n${last.slice(-2_000)}\n${stderr.trim().slice(-2_000)}`;
}
