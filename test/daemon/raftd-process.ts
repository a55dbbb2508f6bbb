import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { freePort } from "./free-port.js";

const program = resolve(import.meta.dirname, "../../dist/src/daemon/main.js");

/** The configuration of one node, as raftctl would write it. */
export interface NodeFile {
	readonly id: string;
	readonly path: string;
	readonly data: string;
	readonly admin: string;
	readonly client: string;
	readonly peer: string;
}

/** Writes node.yaml for every member of a new cluster below `directory`. `changes` goes over each of them. */
export async function writeCluster(
	directory: string,
	ids: readonly string[],
	changes: Record<string, unknown> = {},
): Promise<NodeFile[]> {
	const nodes: NodeFile[] = [];
	for (const id of ids) nodes.push(await place(directory, id));
	for (const node of nodes) writeNode(node, nodes, changes);
	return nodes;
}

/** The configuration of a node that waits to be added to a cluster that exists. */
export async function writeJoining(
	directory: string,
	id: string,
	cluster: { nodes: readonly NodeFile[]; changes?: Record<string, unknown> },
): Promise<NodeFile> {
	const node = await place(directory, id);
	const changes = { ...cluster.changes, join: true };
	writeNode(node, [...cluster.nodes, node], changes);
	return node;
}

/** Where a node could be, on ports that are free. */
export async function place(directory: string, id: string): Promise<NodeFile> {
	const address = async () => `127.0.0.1:${await freePort()}`;
	const home = join(directory, id);
	mkdirSync(home, { recursive: true });
	return {
		...{ id, path: join(home, "node.yaml"), data: join(home, "data") },
		...{ peer: await address(), client: await address() },
		admin: await address(),
	};
}

export function writeNode(
	{ id, path, data, peer, client, admin }: NodeFile,
	members: readonly NodeFile[],
	changes: Record<string, unknown> = {},
): void {
	writeFileSync(
		path,
		stringify({
			cluster: { id: "c-test", name: "test" },
			...{ node: id, data },
			listen: { peer, client, admin },
			members: members.map((member) => ({
				...{ id: member.id, role: "voter", peer: member.peer },
				...{ client: member.client, admin: member.admin },
			})),
			timing: { electionTimeoutMs: 500, heartbeatIntervalMs: 50 },
			drain: { announceMs: 50, closeOverMs: 100, timeoutMs: 10_000 },
			...changes,
		}),
	);
}

export interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** A raftd that runs. Nothing here waits for ever: the limit is that of the test. */
export class Raftd {
	readonly child: ChildProcess;
	readonly ended: Promise<Ended>;
	#stdout = "";
	#stderr = "";
	#hasEnded = false;

	constructor(
		argv: readonly string[],
		env: Record<string, string> = {},
		from = program,
	) {
		const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;
		this.child = spawn(process.execPath, [from, ...argv], {
			env: { ...environment, ...env },
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.child.stdout?.on("data", (chunk) => {
			this.#stdout += chunk;
		});
		this.child.stderr?.on("data", (chunk) => {
			this.#stderr += chunk;
		});
		this.ended = new Promise((settle) =>
			this.child.once("close", (code, signal) => {
				this.#hasEnded = true;
				settle({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
			}),
		);
	}

	/** What it has logged so far, one object a line. */
	log(): Record<string, unknown>[] {
		return this.#stdout
			.split("\n")
			.filter((line) => line.startsWith("{"))
			.map((line) => JSON.parse(line));
	}

	/** Waits until `condition` holds; fails with all that was said when the process ends before. */
	async until(condition: () => Promise<boolean> | boolean): Promise<void> {
		while (!(await condition())) {
			if (this.#hasEnded)
				throw new Error(`raftd ended\n${this.#stderr}\n${this.#stdout}`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	kill(signal: NodeJS.Signals): void {
		this.child.kill(signal);
	}

	async destroy(): Promise<void> {
		this.child.kill("SIGKILL");
		await this.ended;
	}
}

/** 200, 503, or null when nobody answers. */
export async function probe(
	node: NodeFile,
	path: string,
): Promise<number | null> {
	const response = await fetch(`http://${node.admin}${path}`, {
		signal: AbortSignal.timeout(1000),
	}).catch(() => null);
	await response?.arrayBuffer();
	return response?.status ?? null;
}

export async function adminCall(
	node: NodeFile,
	method: string,
	request: object = {},
): Promise<Record<string, unknown>> {
	const response = await fetch(
		`http://${node.admin}/raftctl.admin.v1.AdminService/${method}`,
		{
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(request),
		},
	);
	return (await response.json()) as Record<string, unknown>;
}

/** A command or a query of the application, as JSON. */
export async function ask(
	node: NodeFile,
	kind: "command" | "query",
	body: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
	const response = await fetch(`http://${node.client}/v1/${kind}`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	return {
		status: response.status,
		body: (await response.json()) as Record<string, unknown>,
	};
}
