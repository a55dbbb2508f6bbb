import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forEach } from "../all-at-once.js";
import type { Lab } from "../lab.js";
import type { HostName } from "../names.js";
import { attempt, run } from "../program.js";
import { until } from "../until.js";
import { httpClient } from "./http-client.js";
import { inside } from "./inside.js";
import type { System } from "./measure.js";
import type { FrontNode } from "./ordinary-front.js";
import type { ScriptNode } from "./scripts.js";
import { front, places, value } from "./stage.js";

const clientPort = 2_379;
const peerPort = 2_380;
const unit = "etcd.service";
/** On the same disk as raftd's. */
const state = "/var/lib/raftctl/etcd";
const downloadTimeoutMs = 300_000;
const healthLimitMs = 60_000;
const askTimeoutMs = 2_000;

/** etcd of Debian with its own unit and its own defaults, on the same machines. */
export class EtcdCluster {
	readonly system: System;
	readonly nodes: readonly (ScriptNode & FrontNode)[];

	static async install(lab: Lab): Promise<EtcdCluster> {
		const cluster = new EtcdCluster(lab);
		const archive = await debianPackage("etcd-server");
		await forEach(places, async ({ id, host }) => {
			await installOn(lab, host, { archive, settings: settings(lab, id) });
			// Not awaited by systemd: the first is only ready with the second.
			await inside(lab, host, ["systemctl", "start", "--no-block", unit]);
		});
		return cluster;
	}

	private constructor(lab: Lab) {
		this.nodes = places.map(({ id, host }) => {
			const client = `${lab.address(host)}:${clientPort}`;
			return { id, host, unit, client, checkPort: clientPort };
		});
		const base64 = (text: string) => Buffer.from(text).toString("base64");
		this.system = {
			front: front(lab),
			write: (number) => ({
				...{ method: "POST", path: "/v3/kv/put" },
				body: JSON.stringify({
					key: base64(`key-${number}`),
					value: base64(value),
				}),
			}),
			nodes: this.nodes.map(({ client }) => client),
			whoLeads: { method: "POST", path: "/v3/maintenance/status", body: "{}" },
			leads: (answer) => {
				const { leader, header } = JSON.parse(answer);
				return leader !== undefined && leader === header?.member_id;
			},
			hasEvents: false,
		};
	}

	async settled(): Promise<void> {
		await forEach(this.nodes, async ({ client }) => {
			const limits = { connections: 1, timeoutMs: askTimeoutMs };
			const asked = httpClient({ address: client, ...limits });
			const isHealthy = () =>
				asked.ask({ method: "GET", path: "/health" }).then(
					() => true,
					() => false,
				);
			await until(isHealthy, healthLimitMs, { what: "etcd to be healthy" });
			asked.close();
		});
	}
}

function settings(lab: Lab, id: string): string {
	const url = (host: HostName, port: number) =>
		`http://${lab.address(host)}:${port}`;
	const { host } = places.find((place) => place.id === id) ?? places[0];
	const members = places.map(
		(place) => `${place.id}=${url(place.host, peerPort)}`,
	);
	return `ETCD_NAME=${id}
ETCD_DATA_DIR=${state}
ETCD_LISTEN_CLIENT_URLS=${url(host, clientPort)}
ETCD_ADVERTISE_CLIENT_URLS=${url(host, clientPort)}
ETCD_LISTEN_PEER_URLS=${url(host, peerPort)}
ETCD_INITIAL_ADVERTISE_PEER_URLS=${url(host, peerPort)}
ETCD_INITIAL_CLUSTER=${members.join(",")}
ETCD_INITIAL_CLUSTER_STATE=new
`;
}

/** Masked meanwhile: the package would start a cluster of one. */
async function installOn(
	lab: Lab,
	host: HostName,
	{
		archive,
		settings,
	}: { readonly archive: Buffer; readonly settings: string },
): Promise<void> {
	const file = "/root/etcd-server.deb";
	await inside(lab, host, ["tee", "/etc/default/etcd"], { stdin: settings });
	await inside(lab, host, ["sh", "-euc", `base64 -d >${file}`], {
		stdin: archive.toString("base64"),
	});
	const script = `
systemctl mask --runtime --quiet ${unit}
dpkg --install --force-confold ${file} >/dev/null
install -d -m 0700 -o etcd -g etcd ${state}
systemctl unmask --runtime --quiet ${unit}
systemctl daemon-reload`;
	await inside(lab, host, ["sh", "-euc", script]);
}

/** As this machine's own archive has it: the lab's machines reach none. */
async function debianPackage(name: string): Promise<Buffer> {
	const directory = await mkdtemp(join(tmpdir(), "raftctl-deb-"));
	const options = { cwd: directory, timeoutMs: downloadTimeoutMs };
	const download = ["apt-get", "download", "--quiet", name];
	try {
		if ((await attempt(download, options)).exitCode !== 0) {
			await attempt(["apt-get", "update", "--quiet"], options);
			await run(download, options);
		}
		const [file = ""] = await readdir(directory);
		return await readFile(join(directory, file));
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
}
