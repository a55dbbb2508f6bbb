import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lockLab } from "./lock.js";
import { run } from "./program.js";

/**
 * What every machine of the lab is made of. The tree that comes out is kept under the hash of this, so that it is built
 * anew only when one of these lines changes.
 */
const recipe = {
	suite: "bookworm",
	packages: [
		// A machine as a provider hands it over ...
		...["systemd-sysv", "dbus", "openssh-server", "sudo"],
		...["iproute2", "procps"],
		// ... what stands before the nodes, and clocks that can be set (clock.ts).
		...["haproxy", "nginx-light", "socat", "faketime"],
	],
	/** Run inside the tree. Nothing in it may need the network. */
	script: `
useradd --create-home --shell /bin/bash --groups systemd-journal,haproxy deploy
systemctl --quiet enable systemd-networkd
systemctl --quiet disable haproxy nginx
systemctl --quiet mask console-getty.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \\
	e2scrub_all.timer fstrim.timer logrotate.timer
install -d /etc/ssh/authorized_keys /var/lib/raftctl
cat >/etc/ssh/sshd_config.d/lab.conf <<end
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys/%u
PasswordAuthentication no
end
rm -rf /etc/ssh/ssh_host_* /var/cache/apt/* /var/lib/apt/lists/* /usr/share/doc /usr/share/locale /usr/share/man
: >/etc/machine-id
`,
};

const debootstrapTimeoutMs = 1_200_000;
const scriptTimeoutMs = 60_000;

/** The tree that machines are laid over: built when there is none, else as it is. Returns its directory. */
export async function rootImage(
	images: string,
	tell: (line: string) => void,
): Promise<string> {
	const hash = createHash("sha256")
		.update(JSON.stringify(recipe))
		.digest("hex");
	const image = join(images, `image-${hash.slice(0, 12)}`);
	if (existsSync(image)) return image;
	// Not a lab's name: labs share images.
	const lock = await lockLab("the image", {
		as: `an image is being built (pid ${process.pid})`,
		waitMs: debootstrapTimeoutMs,
	});
	try {
		if (!existsSync(image)) await buildAs(image, tell);
		await removeOthers(images, image);
	} finally {
		await lock.release();
	}
	return image;
}

async function buildAs(
	image: string,
	tell: (line: string) => void,
): Promise<void> {
	const building = join(dirname(image), "building");
	await mkdir(dirname(image), { recursive: true });
	await rm(building, { recursive: true, force: true });
	tell(`building ${image} with debootstrap: takes minutes, is done once`);
	await build(building);
	// Renamed when whole: a build that was killed is never taken for an image.
	await rename(building, image);
}

/** Those of older recipes, unless a machine that is up still stands on them. */
async function removeOthers(images: string, image: string): Promise<void> {
	const used = await mountsOfAll();
	const others = (await readdir(images))
		.filter((name) => name.startsWith("image-"))
		.map((name) => join(images, name))
		.filter((path) => path !== image && !used.includes(`lowerdir=${path},`));
	for (const path of others) await rm(path, { recursive: true, force: true });
}

/** What is mounted in any mount namespace: machines have their own. */
async function mountsOfAll(): Promise<string> {
	const processes = (await readdir("/proc")).filter((name) =>
		/^\d+$/.test(name),
	);
	const mounts = await Promise.all(
		processes.map((pid) =>
			readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => ""),
		),
	);
	return mounts.join("");
}

/**
 * In namespaces of its own, where debootstrap may mount what it likes, and which end, with all that runs in them, when
 * whoever asked for the image is killed.
 */
async function build(directory: string): Promise<void> {
	const apart = [
		...["setpriv", "--pdeathsig", "KILL"],
		...["unshare", "--mount", "--propagation", "private"],
		...["--pid", "--fork", "--kill-child", "--mount-proc"],
	];
	const include = `--include=${recipe.packages.join(",")}`;
	const { suite, script } = recipe;
	await run(
		[
			...[...apart, "debootstrap", "--variant=minbase", include],
			...[suite, directory, await mirror()],
		],
		{ timeoutMs: debootstrapTimeoutMs },
	);
	await run([...apart, "chroot", directory, "/bin/sh", "-eu"], {
		stdin: script,
		timeoutMs: scriptTimeoutMs,
	});
}

const publicMirror = "http://deb.debian.org/debian";

/** Where this machine gets its own Debian packages. */
async function mirror(): Promise<string> {
	const lists = "/etc/apt/sources.list.d";
	const files = [
		"/etc/apt/sources.list",
		...(await readdir(lists).catch(() => [])).map((name) => join(lists, name)),
	];
	for (const file of files) {
		const found = mirrorIn(await readFile(file, "utf8").catch(() => ""));
		if (found !== null) return found;
	}
	return publicMirror;
}

/** The first archive of Debian in a sources.list(5), of the old form or the new one. */
export function mirrorIn(sources: string): string | null {
	for (const line of sources.split("\n")) {
		const found =
			/^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(\S+\/debian)\/?(?:\s|$)/.exec(
				line,
			);
		if (found?.[1] !== undefined) return found[1];
	}
	return null;
}
