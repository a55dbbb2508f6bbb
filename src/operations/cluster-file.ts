import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { OperatorError, reasonOf } from "../errors.js";

interface NewClusterFile {
	/** Where to write it; an existing file is never replaced. */
	readonly path: string;
	/** What `path` is relative to. */
	readonly workingDirectory: string;
	readonly name: string;
	readonly nodes: number;
	readonly portBase: number;
}

interface WrittenClusterFile {
	readonly path: string;
	readonly name: string;
	readonly id: string;
	readonly nodes: readonly string[];
	/** Where applications will connect. */
	readonly listen: string;
}

/**
 * Writes a cluster file to begin with, under a new cluster id, and the JSON Schema that its first line names. Throws
 * OperatorError "config" when the file is there already or cannot be written, or when the values make no valid one.
 */
export async function writeClusterFile({
	path,
	workingDirectory,
	name,
	nodes,
	portBase,
}: NewClusterFile): Promise<WrittenClusterFile> {
	const { starterClusterFile } = await import("../config/starter.js");
	const { parseInventory } = await import("../config/load.js");
	const absolute = resolve(workingDirectory, path);
	const directory = dirname(absolute);
	const id = `${name}-${randomBytes(6).toString("hex")}`;
	const schema = join(".raftctl", "cluster.schema.json");
	const text = starterClusterFile({ name, id, nodes, portBase, schema });
	const inventory = parseInventory(text, { source: path, directory });
	await writeNew(absolute, path, text);
	await writeSchema(join(directory, schema));
	return {
		path: relative(workingDirectory, absolute) || path,
		name,
		id,
		nodes: inventory.nodes.map((node) => node.id),
		listen: inventory.balancer?.listen ?? "",
	};
}

/** The JSON Schema (draft-07) of the cluster file, for editors. */
export async function clusterFileSchema(): Promise<object> {
	const { clusterFileJsonSchema } = await import("../config/json-schema.js");
	return clusterFileJsonSchema();
}

async function writeNew(
	absolute: string,
	path: string,
	text: string,
): Promise<void> {
	try {
		await writeFile(absolute, text, { flag: "wx", mode: 0o644 });
	} catch (cause) {
		const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
		throw new OperatorError(
			"config",
			exists
				? `${path} is there already`
				: `${path} cannot be written: ${reasonOf(cause)}`,
			{
				state: "nothing was written",
				next: exists
					? `look at it with \`raftctl validate --config ${path}\`, or write another with --config`
					: "choose another place with --config",
				cause,
			},
		);
	}
}

/** For the editor only: a cluster file without it is as good. */
async function writeSchema(path: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true });
	const schema = await clusterFileSchema();
	await writeFile(path, `${JSON.stringify(schema, null, 2)}\n`);
}
