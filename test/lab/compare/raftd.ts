import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	type Raftctl,
	raftctlIn,
} from "../../../src/operations/demo/raftctl.js";
import type { RollReport } from "../../../src/operations/roll/report.js";
import { clusterText } from "../cluster-text.js";
import type { Lab } from "../lab.js";
import { until } from "../until.js";
import type { System } from "./measure.js";
import type { FrontNode } from "./ordinary-front.js";
import type { ScriptNode } from "./scripts.js";
import { front, places, value } from "./stage.js";

const name = "compared";
const portBase = 7_100;
const healthLimitMs = 60_000;

/** Three nodes of raftd on the first three machines, deployed by raftctl. */
export class RaftdCluster {
	readonly system: System;
	readonly nodes: readonly (ScriptNode & FrontNode)[];
	readonly #directory: string;
	readonly #raftctl: Raftctl;

	static async deploy(lab: Lab, raftctl: string): Promise<RaftdCluster> {
		const directory = await mkdtemp(join(tmpdir(), "raftctl-compare-"));
		const hosts = places.map(({ host }) => host);
		const text = clusterText(lab, { name, hosts, portBase });
		await writeFile(join(directory, "cluster.yaml"), text);
		const cluster = new RaftdCluster(lab, { directory, raftctl });
		await cluster.#raftctl.run(["deploy", "--yes"]);
		return cluster;
	}

	private constructor(
		lab: Lab,
		{ directory, raftctl }: { readonly directory: string; raftctl: string },
	) {
		this.#directory = directory;
		this.#raftctl = raftctlIn(directory, { node: process.execPath, raftctl });
		this.nodes = places.map(({ id, host }, at) => {
			const firstPort = portBase + 10 * (at + 1);
			const client = `${lab.address(host)}:${firstPort + 1}`;
			const unit = `raftd-${name}-${id}.service`;
			return { id, host, unit, client, checkPort: firstPort + 2 };
		});
		this.system = {
			front: front(lab),
			write: (number) => ({
				...{ method: "POST", path: "/v1/command" },
				body: JSON.stringify({ op: "put", key: `key-${number}`, value }),
			}),
			nodes: this.nodes.map(({ client }) => client),
			whoLeads: { method: "GET", path: "/v1/whoami" },
			leads: (answer) => JSON.parse(answer).role === "leader",
			hasEvents: true,
		};
	}

	/** Returns the node that was restarted first. */
	async roll(): Promise<string> {
		const argv = ["rolling-restart", "--yes"];
		const { nodes } = (await this.#raftctl.run(argv)) as RollReport;
		return nodes[0]?.node ?? "";
	}

	async settled(): Promise<void> {
		const isHealthy = () =>
			this.#raftctl.run(["health"]).then(
				() => true,
				() => false,
			);
		await until(isHealthy, healthLimitMs, { what: "raftd to be healthy" });
	}

	/** What it has on this machine. */
	async close(): Promise<void> {
		await rm(this.#directory, { recursive: true, force: true });
	}
}
