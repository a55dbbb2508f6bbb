import { randomUUID } from "node:crypto";
import { type FileHandle, open, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unifiedDiff } from "../config/edit/difference.js";
import { editText } from "../config/edit/edit.js";
import { editInWords } from "../config/edit/words.js";
import type { ClusterFileEdit } from "../config/edits.js";
import { type Inventory, type Origin, origin } from "../config/inventory.js";
import { parseInventory } from "../config/load.js";
import { OperatorError, reasonOf } from "../errors.js";

interface EditedFile {
	/** The file says it now, and did not before. */
	readonly changed: boolean;
	/** What a person has to change, a string a line; empty when nothing is left to do. */
	readonly instructions: readonly string[];
}

/**
 * Writes the edits into the cluster file, whole or not at all, and keeps everything else in it. A file that is read from
 * stdin, may not be written, or would say something else afterwards stays as it is, and the instructions say what to
 * change. Never throws for the file's sake: the cluster is changed already.
 */
export async function editClusterFile(
	inventory: Inventory,
	edits: readonly ClusterFileEdit[],
): Promise<EditedFile> {
	const plan = await planEdit(inventory, edits);
	if (plan.file === null || plan.text === null)
		return { changed: false, instructions: plan.instructions };
	const { file, text } = plan;
	try {
		await replaceFile(file, Buffer.from(text));
		return { changed: true, instructions: [] };
	} catch (error) {
		const why = `${inventory.source} was not changed: ${reasonOf(error)}`;
		return { changed: false, instructions: [why, ...plan.instructions] };
	}
}

/** Whether the file, as it is now, lacks something of these edits. */
export async function clusterFileLacks(
	inventory: Inventory,
	edits: readonly ClusterFileEdit[],
): Promise<boolean> {
	const { text, instructions } = await planEdit(inventory, edits);
	return text !== null || instructions.length > 0;
}

interface EditPlan {
	/** As it was read; null when there is none to write to. */
	readonly file: ReadFile | null;
	/** What it is to hold; null when that could not be made, or is there already. */
	readonly text: string | null;
	/** How a person would do it. */
	readonly instructions: readonly string[];
}

interface ReadFile {
	/** Behind symbolic links: they are to stay. */
	readonly path: string;
	readonly bytes: Buffer;
	readonly mode: number;
	readonly owner: { readonly user: number; readonly group: number };
}

async function planEdit(
	inventory: Inventory,
	edits: readonly ClusterFileEdit[],
): Promise<EditPlan> {
	const from = inventory[origin];
	const byHand = (why: string): EditPlan => ({
		file: null,
		text: null,
		instructions: [why, ...edits.map((edit) => editInWords(inventory, edit))],
	});
	if (from === undefined) return byHand("in the cluster file:");
	const name = from.path === null ? "the cluster file" : inventory.source;
	try {
		const file = from.path === null ? null : await readWhole(from.path);
		const present = file === null ? from.text : decoded(file.bytes);
		requireSameCluster(inventory, edits, { present, from });
		const place = { source: inventory.source, directory: from.directory };
		const edited = editText(present, edits, place);
		if (edited.text === null)
			return byHand(`${name} was not changed: ${edited.reason}`);
		if (edited.text === present) return { file, text: null, instructions: [] };
		const instructions = [
			`in ${name}:`,
			...unifiedDiff(inventory.source, present, edited.text),
		];
		return { file, text: edited.text, instructions };
	} catch (error) {
		return byHand(`${name} was not changed: ${reasonOf(error)}`);
	}
}

/** Whoever changed the file meanwhile keeps what they changed; but it must not have become another cluster's. */
function requireSameCluster(
	{ id, source }: Inventory,
	edits: readonly ClusterFileEdit[],
	{ present, from }: { readonly present: string; readonly from: Origin },
): void {
	const found = parseInventory(present, {
		...{ source, directory: from.directory },
	}).id;
	const known = edits.flatMap((edit) =>
		edit.type === "set-cluster-id" ? [edit.clusterId] : [],
	);
	if (found !== id && !known.includes(found))
		throw new OperatorError(
			"config",
			`it is the file of another cluster by now (${found})`,
		);
}

function decoded(bytes: Uint8Array): string {
	// The byte order mark of an editor that writes one is kept, as everything else.
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	return decoder.decode(bytes);
}

async function readWhole(path: string): Promise<ReadFile> {
	const real = await realpath(path);
	const file = await open(real, "r");
	try {
		const { mode, uid, gid } = await file.stat();
		return {
			...{ path: real, bytes: await file.readFile(), mode: mode & 0o7777 },
			owner: { user: uid, group: gid },
		};
	} finally {
		await file.close();
	}
}

/**
 * Temporary file, fsync, rename, fsync of the directory: whoever reads it sees the old text or the new. Throws when it
 * may not be written, or is not what was read any more.
 */
async function replaceFile(file: ReadFile, content: Buffer): Promise<void> {
	const { path, bytes, mode } = file;
	await requireWritable(file);
	const directory = dirname(path);
	const partial = join(directory, `.${basename(path)}.${randomUUID()}`);
	try {
		const handle = await open(partial, "wx", mode);
		try {
			await keepOwner(handle, file);
			await handle.chmod(mode);
			await handle.writeFile(content);
			await handle.sync();
		} finally {
			await handle.close();
		}
		// Between this look and the rename a moment is left: an editor that saves right then is overwritten.
		if (!bytes.equals((await readWhole(path)).bytes))
			throw new Error("somebody else is changing it right now");
		await rename(partial, path);
	} catch (error) {
		await rm(partial, { force: true });
		throw error;
	}
	const parent = await open(directory, "r");
	try {
		await parent.sync();
	} finally {
		await parent.close();
	}
}

/** A rename needs no leave of the file itself; who took the leave to write away meant it, also towards root. */
async function requireWritable({ path, mode }: ReadFile): Promise<void> {
	if ((mode & 0o222) === 0) throw new Error("it is read-only");
	const handle = await open(path, "r+");
	await handle.close();
}

/** Root edits a file of somebody else's; anybody else cannot give files away, and need not. */
async function keepOwner(
	handle: FileHandle,
	{ owner }: ReadFile,
): Promise<void> {
	await handle.chown(owner.user, owner.group).catch(() => undefined);
}
