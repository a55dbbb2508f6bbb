import { createHash } from "node:crypto";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Addressed, KeyPair } from "./keys.js";

/** What is a machine's own: laid over the image it shares with the others. */
export interface Overlay {
	readonly files: readonly OverlayFile[];
	/** Units that its systemd starts besides. */
	readonly units: readonly string[];
}

export interface OverlayFile {
	readonly path: string;
	readonly text: string;
	readonly mode?: number;
}

export interface OverlayOptions {
	readonly machine: Addressed;
	readonly all: readonly Addressed[];
	/** This machine, as they see it. */
	readonly gateway: string;
	readonly hostKey: KeyPair;
	readonly authorizedKey: string;
	/** What the account may do as root: templates/sudoers. */
	readonly sudoers: string;
	readonly runsBalancer: boolean;
}

export function overlayOf(options: OverlayOptions): Overlay {
	const { machine, all, gateway, hostKey } = options;
	const names = all.map(({ name, address }) => `${address} ${name}\n`);
	return {
		files: [
			{ path: "etc/hostname", text: `${machine.name}\n` },
			{
				path: "etc/hosts",
				text: `127.0.0.1 localhost\n${gateway} operator\n${names.join("")}`,
			},
			{ path: "etc/machine-id", text: `${machineId(machine)}\n` },
			{
				path: "etc/systemd/network/10-host0.network",
				text: `[Match]\nName=host0\n[Network]\nAddress=${machine.address}/24\nGateway=${gateway}\nIPv6AcceptRA=no\n`,
			},
			{
				path: "etc/ssh/ssh_host_ed25519_key",
				text: hostKey.secret,
				mode: 0o600,
			},
			{ path: "etc/ssh/ssh_host_ed25519_key.pub", text: hostKey.public },
			{ path: "etc/ssh/authorized_keys/deploy", text: options.authorizedKey },
			{ path: "etc/sudoers.d/raftctl", text: options.sudoers, mode: 0o440 },
		],
		units: options.runsBalancer ? ["haproxy.service"] : [],
	};
}

/** The same each time, as a machine keeps its own. */
function machineId({ name, address }: Addressed): string {
	return createHash("sha256")
		.update(`${name} ${address}`)
		.digest("hex")
		.slice(0, 32);
}

/** Writes it as a directory for overlayfs. The directories it makes are root's and 0755, as they are below. */
export async function writeOverlay(
	directory: string,
	{ files, units }: Overlay,
): Promise<void> {
	await rm(directory, { recursive: true, force: true });
	for (const { path, text, mode = 0o644 } of files) {
		await mkdir(dirname(join(directory, path)), { recursive: true });
		await writeFile(join(directory, path), text, { mode });
	}
	for (const unit of units) {
		const wanted = "etc/systemd/system/multi-user.target.wants";
		await mkdir(join(directory, wanted), { recursive: true });
		await symlink(`/lib/systemd/system/${unit}`, join(directory, wanted, unit));
	}
}
