import { dirname } from "node:path";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import { commandFor, type OperationContext } from "../context.js";
import { fileTimeoutMs, namesIn } from "../host-files.js";
import {
	type DataIdentity,
	directoryFault,
	foreignAmong,
	identityOf,
} from "./candidate.js";

/** What only a raftd has made. */
const raftdParts = ["wal", "snapshots", "identity.json"];

/** Whether the directory itself can be renamed by who runs it, as exit codes. */
const moveScript = `path=$1
[ -e "$path" ] || exit 0
[ -w "$(dirname -- "$path")" ] || exit 3
if mountpoint -q -- "$path" 2>/dev/null; then exit 4; fi
exit 0`;

/**
 * Throws OperatorError "refused" where the old data could not go once the node has left the members: nothing is touched
 * then. Asked with the account that moves it.
 */
export async function requireResettable(
	context: OperationContext,
	node: NodeEntry,
	{ discard }: { readonly discard: boolean },
): Promise<void> {
	const host = await context.machines.host(node.host);
	const names = await namesIn(host, node.dataDirectory);
	const identity = await identityOf(context, node);
	const found = { names, identity, clusterId: context.inventory.id };
	const again = (more: string) =>
		commandFor(context, `reset-node ${node.id}${more}`);
	const fault =
		contentFault(node, found, discard, again("")) ??
		(discard ? null : await moveFault(host, node, again(" --discard")));
	if (fault === null) return;
	throw new OperatorError(
		"refused",
		`${node.id} cannot be reset: ${fault.what}`,
		{ node: node.id, state: "nothing was touched", next: fault.next },
	);
}

interface Fault {
	readonly what: string;
	readonly next: string;
}

function contentFault(
	node: NodeEntry,
	found: {
		readonly names: readonly string[];
		readonly identity: DataIdentity | null;
		readonly clusterId: string;
	},
	discard: boolean,
	keeping: string,
): Fault | null {
	const { names, identity, clusterId } = found;
	const look = `look at data of ${node.id} in the cluster file: ${node.dataDirectory}`;
	const foreign = directoryFault(identity, { clusterId, node });
	if (foreign !== null) return { what: foreign, next: look };
	if (identity !== null && identity.incarnation !== "") return null;
	if (foreignAmong(names).length === 0) return null;
	if (!names.some((name) => raftdParts.includes(name)))
		return {
			what: `${node.dataDirectory} holds files that are no node's`,
			next: look,
		};
	return discard
		? {
				what: `nobody can say whose data lies in ${node.dataDirectory}: its identity.json is gone or damaged`,
				next: `${keeping} keeps it`,
			}
		: null;
}

async function moveFault(
	host: Host,
	{ dataDirectory }: NodeEntry,
	discarding: string,
): Promise<Fault | null> {
	const argv = ["sh", "-c", moveScript, "look", dataDirectory];
	const { exitCode } = await host.run(argv, { timeoutMs: fileTimeoutMs });
	const parent = dirname(dataDirectory);
	const without = `${discarding} needs no such thing, and keeps nothing`;
	if (exitCode === 3)
		return {
			what: `its data cannot be set aside, as its account may not write ${parent}`,
			next: `let the account write there (as root: chown); or ${without}`,
		};
	if (exitCode === 4)
		return {
			what: `its data cannot be set aside, as ${dataDirectory} is a disk of its own`,
			next: `let data be a directory on that disk; or ${without}`,
		};
	return null;
}
