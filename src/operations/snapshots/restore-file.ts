import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
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
	);
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
