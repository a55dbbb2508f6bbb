import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unitOf } from "../../../src/hosts/systemd-service.js";
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
import { allHosts, balancerHost, type HostName, nodeHosts } from "../names.js";
import { until } from "../until.js";
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
/** Every node that can be a member: one more than are at once. The machine left over is for one that moves. */
export const ids = ["n1", "n2", "n3", "n4"] as const;
/** What the nodes run at first, and what comes after it. */
export const releases = { first: "1.0.0", next: "2.0.0" } as const;

/** So that a snapshot, or a node that catches up, takes long enough to be met in the middle. */
const ballast = { values: 24, bytes: 2 ** 20 };

/** Only bounds what would hang. */
export const commandLimitMs = 300_000;
const lookLimitMs = 5_000;
const downLimitMs = 60_000;
/** Also a killed operator's, who holds it for 20 s. */
export const lockWait = ["--lock-wait", "60s"];

/** A cluster of three behind HAProxy, on machines that were bare, and two further machines. */
export class Stage {
	readonly lab: Lab;
	readonly clocks: boolean;
	readonly directory: string;
	/** host:port where applications connect. */
	readonly address: string;
	readonly #hosts = new Map<string, HostName>(
		ids.map((id, at) => [id, nodeHosts[at] ?? "h1"]),
	);
	readonly #material: Pick<Place, "tls">;
	/** Of every round so far. */
	readonly acknowledged: AcknowledgedWrite[] = [];
	readonly #raftctl: string;

	static async deploy(options: StageOptions): Promise<Stage> {
		const { lab, tls, clocks } = options;
		await forEach(allHosts, (host) => lab.replace(host));
		// Before any daemon is started there.
		if (clocks) await forEach(nodeHosts, (host) => lab.loosenClock(host));
		const wish = {
			...{ name: cluster, hosts: founders, portBase, spare: nodeHosts },
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
		this.#material = options.tls ? { tls: () => materialIn(certificates) } : {};
	}

	/** Where the nodes answer. */
	get places(): readonly Place[] {
		return ids.map((id, at) => {
			const port = portBase + 10 * (at + 1);
			const place = (offset: number) =>
				`${this.lab.address(this.hostOf(id))}:${port + offset}`;
			return { id, client: place(1), admin: place(2), ...this.#material };
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
		const { tls } = this.#material;
		return tls === undefined ? {} : { tls: () => ({ ca: tls().ca }) };
	}

	hostOf(id: string): HostName {
		const host = this.#hosts.get(id);
		if (host === undefined) throw new Error(`no machine for ${id}`);
		return host;
	}

	/** The machine that no node is meant for. */
	get freeHost(): HostName {
		const taken = new Set(this.#hosts.values());
		const free = nodeHosts.find((host) => !taken.has(host));
		if (free === undefined) throw new Error("every machine is taken");
		return free;
	}

	/** From now on the node is on another machine. */
	moveTo(id: string, host: HostName): void {
		this.#hosts.set(id, host);
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
		const show = ["systemctl", "show", "--value", "--property=InvocationID"];
		const argv = [...show, unitOf(cluster, id)];
		return (await inside(this.lab, this.hostOf(id), argv)).trim();
	}

	/** What HAProxy says of its servers, as CSV. */
	async frontStat(): Promise<string> {
		const ask = `echo "show stat" | socat - UNIX-CONNECT:/run/haproxy/admin.sock`;
		return await inside(this.lab, balancerHost, ["sh", "-c", ask]);
	}

	/** Until HAProxy sends the node nothing, and a quorum without it has a leader. */
	async awaitDown(id: string): Promise<void> {
		const isDown = async () => {
			const { exitCode } = await this.run(["operation", "list"]);
			const line = new RegExp(`^raftctl-${cluster},${id},.*,DOWN`, "m");
			return exitCode === 0 && line.test(await this.frontStat());
		};
		await until(isDown, downLimitMs, { what: `HAProxy to miss ${id}` });
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
