import type { Host } from "../../hosts/host.js";

/**
 * nginx keeps what it is told for ever. So that a dead operator leaves nothing behind, each word has a guard on the host: a
 * shell that puts the plain file back and reloads, unless a later word came meanwhile.
 */
export interface Lease {
	readonly config: string;
	/** What lies there when nobody steers. */
	readonly plain: string;
	readonly reload: readonly string[];
	readonly cluster: string;
}

/** Of the account's own, on the host. */
function leaseDirectory(cluster: string): string {
	return `/var/tmp/raftctl-lease-${cluster}`;
}

const commandLimitMs = 10_000;

/** Begins or renews the guard: the plain file comes back this long after the last word. */
export async function guard(
	host: Host,
	lease: Lease,
	{ token, leaseMs }: { readonly token: string; readonly leaseMs: number },
): Promise<void> {
	const { cluster, plain } = lease;
	const directory = leaseDirectory(cluster);
	// Where the rules of sudo let it be copied from.
	const plainPath = `/tmp/raftctl-lease-${cluster}.conf`;
	await host.upload(plainPath, Buffer.from(plain), 0o644);
	await host.upload(`${directory}/token`, Buffer.from(token), 0o600);
	const seconds = String(Math.max(1, Math.ceil(leaseMs / 1000)));
	await host.run(
		[
			...["sh", "-c", startScript, "raftctl", guardScript],
			...[directory, token, seconds, plainPath, lease.config],
			...lease.reload,
		],
		{ timeoutMs: commandLimitMs },
	);
}

/** Nothing is steered any more: a guard that still sleeps finds no token of its own. */
export async function unguard(host: Host, cluster: string): Promise<void> {
	const argv = ["rm", "-f", `${leaseDirectory(cluster)}/token`];
	await host.run(argv, { timeoutMs: commandLimitMs });
}

/** A session of its own: it outlives the operator, and the connection that started it. */
const startScript = `
script=$1; shift
setsid sh -c "$script" raftctl-lease "$@" </dev/null >/dev/null 2>&1 &
`;

const guardScript = `
directory=$1 token=$2 seconds=$3 plain=$4 config=$5
shift 5
as_it_may() { "$@" 2>/dev/null || sudo -n "$@"; }
sleep "$seconds"
[ "$(cat "$directory/token" 2>/dev/null)" = "$token" ] || exit 0
rm -f "$directory/token"
as_it_may cp "$plain" "$config.new" &&
	as_it_may mv -f "$config.new" "$config" &&
	as_it_may "$@"
`;
