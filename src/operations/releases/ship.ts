import { join } from "node:path";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { installedRelease } from "./installed.js";
import { releaseFiles } from "./manifest.js";
import { releaseDirectory, releasesDirectory } from "./places.js";

const unpackTimeoutMs = 300_000;

/**
 * Unpacked beside its place, every file checked, and renamed when all of it is there: a release that has its name is
 * whole, whatever was killed. The archive goes only then.
 */
const unpackScript = `
set -eu
archive=$1 target=$2 sums=$3
part=$(dirname "$target")/.$(basename "$target").unpacking
rm -rf "$part"
mkdir -p -m 755 "$part"
tar -xzf "$archive" -C "$part" --no-same-owner
(cd "$part" && sha256sum --check --quiet --strict "$sums")
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
	const { sentBytes } = await host.send(upload, archive, 0o600, {
		signal,
		onProgress: (bytes, ofBytes) =>
			progress(`${mebibytes(bytes)} of ${mebibytes(ofBytes)} MiB`),
	});
	const { exitCode, stderr } = await host.run(
		[
			...["sh", "-c", unpackScript, "unpack-release", upload],
			releaseDirectory(inventory, hostName, version),
			releaseFiles.sums,
		],
		{ timeoutMs: unpackTimeoutMs, signal },
	);
	if (exitCode === 0) return `${mebibytes(sentBytes)} MiB sent`;
	throw new OperatorError(
		"refused",
		`the release ${version} could not be unpacked on ${hostName}`,
		{
			problems: stderr.trim().split("\n").slice(0, 8),
			state: `${hostName} has no release ${version}; its nodes run what they ran`,
			next: "look at the disk of the host, or build the release again, then repeat the command",
		},
	);
}

function mebibytes(bytes: number): string {
	return (bytes / (1024 * 1024)).toFixed(1);
}
