import { join } from "node:path";
import { isOfFullDisk, OperatorError, roomOn } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import { commandFor, type OperationContext } from "../context.js";
import { installedRelease } from "./installed.js";
import { releaseFiles } from "./manifest.js";
import { releaseDirectory, releasesDirectory } from "./places.js";

const makeRoomTimeoutMs = 30_000;
const unpackTimeoutMs = 300_000;
const progressEveryMs = 1_000;

/** The archive's place, readable by the daemon's account, too, whatever the umask is. */
const makeRoomScript = `
set -eu
umask 022
mkdir -p "$1"
[ "$(stat -c %a "$1")" != 700 ] || chmod 755 "$1"
`;

/**
 * Unpacked beside its place, every file checked, and renamed when all of it is there: a release that has its name is
 * whole, whatever was killed. The archive goes only then. Its date is when it came, not that of the archive. On another
 * host, its daemon has to run there first: one for another processor, or without a Node.js, never gets its name.
 */
const unpackScript = `
set -eu
umask 022
archive=$1 target=$2 sums=$3 program=$4
part=$(dirname "$target")/.$(basename "$target").unpacking
rm -rf "$part"
mkdir -p -m 755 "$part"
tar -xzf "$archive" -C "$part" --no-same-owner
(cd "$part" && sha256sum --check --quiet --strict "$sums")
[ -z "$program" ] || "$part/$program" --version >/dev/null || {
	echo "its daemon does not run on this host" >&2
	rm -rf "$part" "$archive"
	exit 1
}
touch "$part"
sync -f "$part"
if [ -e "$target" ]; then rm -rf "$part"; else mv -T "$part" "$target"; fi
rm -f "$archive"
`;

export interface ShipWish {
	readonly host: string;
	readonly version: string;
	/** Of this machine. */
	readonly archive: string;
	readonly signal: AbortSignal;
	readonly progress: (note: string) => void;
}

/** Brings a release to a host that does not have it. Returns a note on how that went. */
export async function shipRelease(
	context: OperationContext,
	{ host: hostName, version, archive, signal, progress }: ShipWish,
): Promise<string> {
	const { inventory, machines } = context;
	if ((await installedRelease(context, hostName, version)) !== null)
		return "it is there";
	const host = await machines.host(hostName, "login");
	const directory = releasesDirectory(inventory, hostName);
	const upload = join(directory, `.${version}.tgz`);
	if (hostName !== "local") await makeRoom(context, host, directory);
	let toldAt = context.clock.now();
	const { sentBytes } = await host.send(upload, archive, 0o600, {
		signal,
		onProgress: (bytes, ofBytes) => {
			// A log must not fill up with it.
			if (context.clock.now() - toldAt < progressEveryMs) return;
			toldAt = context.clock.now();
			progress(`${mebibytes(bytes)} of ${mebibytes(ofBytes)} MiB`);
		},
	});
	const { exitCode, stderr } = await host.run(
		[
			...["sh", "-c", unpackScript, "unpack-release", upload],
			releaseDirectory(inventory, hostName, version),
			releaseFiles.sums,
			hostName === "local" ? "" : releaseFiles.program,
		],
		{ timeoutMs: unpackTimeoutMs, signal },
	);
	if (exitCode === 0) return `${mebibytes(sentBytes)} MiB sent`;
	throw new OperatorError(
		"refused",
		`the release ${version} could not be unpacked on ${hostName}`,
		{
			node: hostName,
			problems: stderr.trim().split("\n").slice(0, 8),
			state: `${hostName} has no release ${version}; its nodes run what they ran`,
			remedy: isOfFullDisk(stderr)
				? roomOn(hostName, directory)
				: "look at the disk of the host, or build the release again",
		},
	);
}

async function makeRoom(
	context: OperationContext,
	host: Host,
	directory: string,
): Promise<void> {
	const { exitCode, stderr } = await host.run(
		["sh", "-c", makeRoomScript, "make-room", directory],
		{ timeoutMs: makeRoomTimeoutMs },
	);
	if (exitCode === 0) return;
	throw new OperatorError(
		"refused",
		`${directory} cannot be made: ${stderr.trim()}`,
		{
			node: host.name,
			state: "nothing was sent",
			...(isOfFullDisk(stderr)
				? { remedy: roomOn(host.name, directory) }
				: { next: commandFor(context, "deploy") }),
		},
	);
}

function mebibytes(bytes: number): string {
	return (bytes / (1024 * 1024)).toFixed(1);
}
