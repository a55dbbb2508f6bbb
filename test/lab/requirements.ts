import { existsSync } from "node:fs";
import { OperatorError } from "../../src/errors.js";
import { attempt } from "./program.js";

/** What the lab runs, and the Debian package that has it. */
const needed: Readonly<Record<string, string>> = {
	"/usr/bin/systemd-nspawn": "systemd-container",
	"/usr/sbin/debootstrap": "debootstrap",
	"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
	"/usr/sbin/ip": "iproute2",
	"/usr/sbin/nft": "nftables",
	"/usr/sbin/mkfs.ext4": "e2fsprogs",
	"/usr/bin/ssh-keygen": "openssh-client",
};

const installTimeoutMs = 600_000;

/** Throws OperatorError "refused" for anybody else. */
export function requireRoot(): void {
	if (process.getuid?.() === 0) return;
	throw new OperatorError(
		"refused",
		"the lab needs root: it makes machines, mounts and a bridge",
		{ next: "sudo npm run lab -- up" },
	);
}

/** Installs what is missing. Throws OperatorError "refused" when that does not work. */
export async function installPrograms(
	tell: (line: string) => void,
): Promise<void> {
	const missing = Object.entries(needed)
		.filter(([path]) => !existsSync(path))
		.map(([, name]) => name);
	if (missing.length === 0) return;
	tell(`installing ${missing.join(", ")}`);
	const install = ["install", "-y", "-qq", "--no-install-recommends"];
	const apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
	const timeoutMs = installTimeoutMs;
	await attempt([...apt, "update", "-qq"], { timeoutMs });
	const { exitCode, stderr } = await attempt([...apt, ...install, ...missing], {
		timeoutMs,
	});
	if (exitCode === 0) return;
	throw new OperatorError(
		"refused",
		`the lab needs ${missing.join(", ")}, which cannot be installed`,
		{ state: stderr.trim(), next: `apt-get install ${missing.join(" ")}` },
	);
}
