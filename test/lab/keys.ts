import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "./program.js";

/** How to get into the machines. Files of the lab's directory; they outlive machines, so what knew them goes on. */
export interface Access {
	readonly user: string;
	/** The private key; its public half beside it. */
	readonly identityFile: string;
	readonly knownHosts: string;
	/** For `ssh -F`: the machines by name. */
	readonly config: string;
}

export interface Addressed {
	readonly name: string;
	readonly address: string;
}

export function accessOf(directory: string): Access {
	return {
		user: "deploy",
		identityFile: join(directory, "key"),
		knownHosts: join(directory, "known_hosts"),
		config: join(directory, "ssh_config"),
	};
}

export function hostKeyOf(directory: string, host: string): string {
	return join(directory, "host-keys", host);
}

/** Both halves of a key, as ssh-keygen writes them. */
export interface KeyPair {
	readonly secret: string;
	readonly public: string;
}

export async function readKey(path: string): Promise<KeyPair> {
	return {
		secret: await readFile(path, "utf8"),
		public: await readFile(`${path}.pub`, "utf8"),
	};
}

/** Makes what is missing: the operator's key, each host's, and the files that name them. */
export async function makeKeys(
	directory: string,
	hosts: readonly Addressed[],
): Promise<void> {
	const access = accessOf(directory);
	await makeKey(access.identityFile, "lab");
	await Promise.all(
		hosts.map(({ name }) => makeKey(hostKeyOf(directory, name), name)),
	);
	const publicKeys = await Promise.all(
		hosts.map(async ({ name }) =>
			(await readKey(hostKeyOf(directory, name))).public.trim(),
		),
	);
	await writeFile(
		access.knownHosts,
		hosts
			.map(
				({ name, address }, index) =>
					`${name},${address} ${publicKeys[index]}\n`,
			)
			.join(""),
	);
	await writeFile(access.config, configText(access, hosts), { mode: 0o600 });
}

function configText(access: Access, hosts: readonly Addressed[]): string {
	const machines = hosts.map(
		({ name, address }) => `Host ${name}\n\tHostName ${address}\n`,
	);
	return [
		...machines,
		"Host *\n",
		`\tUser ${access.user}\n`,
		`\tIdentityFile "${access.identityFile}"\n`,
		"\tIdentitiesOnly yes\n",
		`\tUserKnownHostsFile "${access.knownHosts}"\n`,
		"\tStrictHostKeyChecking yes\n",
	].join("");
}

async function makeKey(path: string, comment: string): Promise<void> {
	if (existsSync(path) && existsSync(`${path}.pub`)) return;
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	await run(
		["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path],
		// Of a half-made pair it asks whether to write over it.
		{ stdin: "y\n" },
	);
}
