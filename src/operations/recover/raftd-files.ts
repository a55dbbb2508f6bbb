import { dirname } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import { reportOf } from "../doctor.js";
import { doOn } from "../host-files.js";
import { runRelease } from "../releases/installed.js";

/** Reading, checking and writing a large state takes as long as its disk does. */
const stateTimeoutMs = 3_600_000;

/** What a snapshot's file says of itself, as far as operations look at it. */
export interface FileManifest {
	/** Of the file: what is copied is compared by it. */
	readonly id: string;
	readonly clusterId: string;
	readonly index: number;
	readonly term: number;
	readonly level: number;
	readonly release: string;
	readonly machine: string;
	readonly fileBytes: number;
	readonly createdAtMs: number;
	readonly sha256: string;
}

/** The first of the host's nodes that has a release lends its raftd. */
const anyRaftd = `
directory=$1
shift
for raftd in "$directory"/*/current/bin/raftd; do
	[ ! -x "$raftd" ] || exec "$raftd" "$@"
done
echo "no node has a release in $directory: raftctl deploy" >&2
exit 127
`;

type Asking = Pick<OperationContext, "programs" | "inventory" | "machines">;

/** What is typed before raftd's own words. */
function raftdOn({ programs, inventory }: Asking, host: Host) {
	if (host.name === "local") return [programs.node, programs.raftd];
	return ["sh", "-c", anyRaftd, "raftd", inventory.deploy.directory];
}

/** The team's machine as the host's nodes run it; else, on this machine, as the cluster file has it. Null: the bundled one. */
async function appOn(context: Asking, host: Host): Promise<string | null> {
	const { inventory } = context;
	for (const node of inventory.nodes.filter((one) => one.host === host.name)) {
		const release = await runRelease(context, node);
		if (release !== null) return release.app;
	}
	return host.name === "local" ? inventory.app : null;
}

/** Runs one of raftd's words for files on a host. Throws the error that raftd tells. */
export async function askRaftd<Report>(
	context: Asking & Pick<OperationContext, "signal">,
	host: Host,
	{
		words,
		takesMachine = false,
	}: { readonly words: readonly string[]; readonly takesMachine?: boolean },
): Promise<Report> {
	const app = takesMachine ? await appOn(context, host) : null;
	const machine = app === null ? [] : ["--app", app];
	// One that outlived its operator would hold a directory, or make one that nobody waits for.
	const flags = ["--json", "--end-with-stdin"];
	const raftd = raftdOn(context, host);
	const argv = [...raftd, ...words, ...machine, ...flags];
	const { signal } = context;
	const { exitCode, stdout } = await host.run(argv, {
		...{ timeoutMs: stateTimeoutMs, signal, holdsStdin: true },
	});
	return reportOf(stdout, words.slice(0, 2).join(" "), exitCode) as Report;
}

export async function manifestOf(
	context: OperationContext,
	host: Host,
	file: string,
): Promise<FileManifest> {
	const { manifest } = await askRaftd<{ readonly manifest: FileManifest }>(
		context,
		host,
		{ words: ["snapshot", "inspect", file] },
	);
	return manifest;
}

/** Brings a file of the operator's machine to a host, whole under its name or not there at all. */
export async function copyTo(
	context: OperationContext,
	host: Host,
	{ file, path }: { readonly file: string; readonly path: string },
): Promise<void> {
	const part = `${path}.part`;
	if (host.name === "local") {
		await doOn(host, ["mkdir", "-p", "-m", "700", dirname(path)], {
			about: host.name,
		});
		try {
			await doOn(host, ["cp", "--", file, part], { about: host.name });
		} catch (error) {
			await host.run(["rm", "-f", part], { timeoutMs: 30_000 });
			throw notCopied(host, path, error);
		}
	} else {
		await host.send(part, file, 0o600, { signal: context.signal });
	}
	await doOn(host, ["mv", "-T", part, path], { about: host.name });
}

/** Nothing was begun but this. */
function notCopied(host: Host, path: string, cause: unknown): OperatorError {
	return new OperatorError(
		"refused",
		`the file could not be copied to ${path}: ${reasonOf(cause)}`,
		{
			node: host.name,
			state: "the copy was removed; no data was touched",
			remedy: "make room there, or mend what it says",
			cause,
		},
	);
}
