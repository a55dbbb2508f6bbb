import { resolve } from "node:path";
import type { ClusterFile } from "./cluster-file.js";
import { accountOf } from "./deploy.js";
import type {
	DeployEntry,
	HostEntry,
	Inventory,
	SshSettings,
} from "./inventory.js";
import { loopbackAddress } from "./ports.js";

/** Where raftctl keeps what it writes on this host: node configurations, the journal of what has no quorum. */
export function stateDirectoryOn(
	{ stateDirectory, deploy }: Pick<Inventory, "stateDirectory" | "deploy">,
	host: string,
): string {
	return host === "local" ? stateDirectory : deploy.state;
}

/** By which others reach this host. Of one that is not known, which is a mistake of its own, as if it were this machine. */
export function addressOf(hosts: readonly HostEntry[], host: string): string {
	return hosts.find(({ name }) => name === host)?.address ?? loopbackAddress;
}

export function resolveHosts(
	hosts: ClusterFile["hosts"],
	directory: string,
): readonly HostEntry[] {
	return Object.entries(hosts).map(([name, host]) => {
		const { address, ssh } =
			typeof host === "string" ? { address: host, ssh: {} } : host;
		return {
			name,
			address,
			ssh: {
				address: ssh.address ?? address,
				user: ssh.user ?? null,
				port: ssh.port ?? null,
				identityFiles: paths(ssh.identityFile, directory),
				jump: ssh.jump ?? null,
			},
		};
	});
}

export function resolveSsh(
	ssh: ClusterFile["ssh"],
	directory: string,
): SshSettings {
	return {
		user: ssh.user ?? null,
		identityFiles: paths(ssh.identityFile, directory),
		config: ssh.config === false ? null : withHome(ssh.config, directory),
		knownHosts: paths(ssh.knownHosts, directory),
		hostKeys: ssh.hostKeys,
		jump: ssh.jump ?? null,
		connectTimeoutMs: ssh.connectTimeout,
	};
}

export function resolveDeploy({ name, deploy }: ClusterFile): DeployEntry {
	return {
		directory: deploy.directory ?? `/opt/raftctl/${name}`,
		state: deploy.state ?? `/var/lib/raftctl/${name}`,
		user: deploy.user ?? accountOf(name),
		keepReleases: deploy.keepReleases,
	};
}

function paths(
	given: string | readonly string[] | undefined,
	directory: string,
): readonly string[] | null {
	if (given === undefined) return null;
	return [given].flat().map((path) => withHome(path, directory));
}

/** A path from the home directory stays one: whose home it is, the cluster file does not know. */
function withHome(path: string, directory: string): string {
	return /^~(\/|$)/.test(path) ? path : resolve(directory, path);
}
