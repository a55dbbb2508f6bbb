import { completed, OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import {
	askRaftd,
	type FileManifest,
	manifestOf,
} from "../recover/raftd-files.js";

interface VerifyReport {
	readonly ok: boolean;
	readonly manifest: FileManifest | null;
	readonly problems: readonly {
		readonly offset: number;
		readonly what: string;
	}[];
	readonly notes: readonly string[];
}

/**
 * Whether the file is of another cluster: of neither this id nor one that a cluster of this name may have had before a
 * restore. Pure.
 */
export function isForeign(
	{ id, name }: Pick<OperationContext["inventory"], "id" | "name">,
	{ clusterId }: Pick<FileManifest, "clusterId">,
): boolean {
	return clusterId !== id && !clusterId.startsWith(`${name}-`);
}

/** The other cluster that the file says it is of; null for one of this cluster, and for one that says nothing. */
export async function foreignOwner(
	context: OperationContext,
	file: string,
): Promise<string | null> {
	const host = await context.machines.host("local");
	try {
		const manifest = await manifestOf(context, host, file);
		return isForeign(context.inventory, manifest) ? manifest.clusterId : null;
	} catch (error) {
		throwIfEnded(context.signal);
		// What is wrong with it is said, with the place, once every byte was looked at.
		if (error instanceof OperatorError) return null;
		throw error;
	}
}

/** Throws OperatorError "refused" for the file of another cluster than the one that was named. */
export function requireOwn(
	context: OperationContext,
	{ file, foreign }: { readonly file: string; readonly foreign: string | null },
	manifest: FileManifest,
): void {
	const { inventory } = context;
	const { clusterId } = manifest;
	if (!isForeign(inventory, manifest) || clusterId === foreign) return;
	throw new OperatorError(
		"refused",
		`${file} is of another cluster, ${clusterId}${foreign === null ? "" : `, and not of ${foreign}`}`,
		{
			problems: [
				`${inventory.name}, ${inventory.id}, would go on with that one's state`,
			],
			state: "nothing was touched",
			next: `take a file of this cluster; if it is meant: ${commandFor(context, `snapshot restore --foreign ${clusterId} FILE`)}`,
		},
	);
}

/**
 * What the file says of itself, once it has been restored as a drill; `known` is of a file that was. Throws OperatorError
 * "refused", naming where, for a file that is damaged, of another machine, or of a level that this release does not read.
 */
export async function verifiedManifest(
	context: OperationContext,
	file: string,
	known: FileManifest | null,
): Promise<FileManifest> {
	const host = await context.machines.host("local");
	if (known !== null) {
		const now = await manifestOf(context, host, file);
		if (now.id === known.id) return known;
	}
	const { ok, manifest, problems, notes } = await askRaftd<VerifyReport>(
		context,
		host,
		{ words: ["snapshot", "verify", file], takesMachine: true },
	).catch((error: unknown) => {
		if (!(error instanceof OperatorError)) throw error;
		throw completed(error, { state: "nothing was touched" });
	});
	if (ok && manifest !== null) {
		for (const message of notes)
			context.emit({ type: "warning", node: null, message });
		return manifest;
	}
	throw new OperatorError("refused", `${file} cannot be restored`, {
		problems: [
			...problems.map(({ offset, what }) => `at offset ${offset}: ${what}`),
			...notes,
		],
		state: "nothing was touched",
		next: "take another file; raftctl snapshot verify FILE tells whether it is good",
	});
}
