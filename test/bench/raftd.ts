import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.js";
import { type Load, type Row, rowsOf } from "./systems.js";

const root = resolve(import.meta.dirname, "../..");
const raftctl = join(root, "dist/raftctl.cjs");
const defaultKeys = 100_000;

/** raftd processes, made and taken down by the real commands; `use` gets the client addresses. */
export async function withCluster<T>(
	{
		portBase,
		nodes = 3,
	}: { readonly portBase: number; readonly nodes?: number },
	use: (cluster: { clients: string[]; directory: string }) => Promise<T>,
): Promise<T> {
	const directory = mkdtempSync(join(tmpdir(), "raftctl-bench-"));
	const run = (argv: readonly string[]) => runRaftctl(directory, argv);
	try {
		run(["init", "--port-base", `${portBase}`, "--nodes", `${nodes}`]);
		run(["up"]);
		const { inventory } = JSON.parse(run(["validate", "--json"]));
		const clients = inventory.nodes.map(
			(node: { client: string }) => node.client,
		);
		return await use({ clients, directory });
	} finally {
		run(["down", "--yes"]);
		rmSync(directory, { recursive: true, force: true });
	}
}

export function runRaftctl(directory: string, argv: readonly string[]): string {
	const { status, stdout, stderr } = spawnSync(
		process.execPath,
		[raftctl, ...argv],
		{ cwd: directory, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
	);
	if (status === 0) return stdout;
	throw new Error(
		`raftctl ${argv.join(" ")} ended with ${status}\n${stdout}${stderr}`,
	);
}

/** Rows of a cluster that is there already. */
export async function raftdLoad(
	endpoints: readonly string[],
	load: Load,
	prefer: "leader" | "any" = "leader",
): Promise<Row[]> {
	const { clients, seconds, bytes, keys = defaultKeys, reads = false } = load;
	return await rowsOf([
		...[process.execPath, await bundle("raftd-load")],
		...["--endpoints", endpoints.join(","), "--clients", clients.join(",")],
		...["--seconds", `${seconds}`, "--bytes", `${bytes}`, "--keys", `${keys}`],
		...["--prefer", prefer, ...(reads ? ["--reads"] : [])],
	]);
}

export function raftdRows(load: Load): Promise<Row[]> {
	return withCluster({ portBase: 16_100 }, ({ clients }) =>
		raftdLoad(clients, load),
	);
}
