import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.js";
import { type Load, type Row, rowsOf } from "./systems.js";

const root = resolve(import.meta.dirname, "../..");
const raftctl = join(root, "dist/src/main.js");

/** Three raftd processes, made and taken down by the real commands; `use` gets the client addresses. */
export async function withCluster<T>(
	portBase: number,
	use: (cluster: { clients: string[]; directory: string }) => Promise<T>,
): Promise<T> {
	const directory = mkdtempSync(join(tmpdir(), "raftctl-bench-"));
	const run = (argv: readonly string[]) => runRaftctl(directory, argv);
	try {
		run(["init", "--port-base", `${portBase}`]);
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
		{ cwd: directory, encoding: "utf8" },
	);
	if (status === 0) return stdout;
	throw new Error(
		`raftctl ${argv.join(" ")} ended with ${status}\n${stdout}${stderr}`,
	);
}

export async function raftdRows(load: Load): Promise<Row[]> {
	const generator = await bundle("raftd-load");
	return withCluster(16_100, ({ clients }) =>
		rowsOf([
			process.execPath,
			generator,
			clients.join(","),
			load.clients.join(","),
			`${load.seconds}`,
			`${load.bytes}`,
		]),
	);
}
