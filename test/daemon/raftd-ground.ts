import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type NodeFile, probe, Raftd, writeCluster } from "./raftd-process.js";

/** A directory and the raftd that a test starts in it; both are gone after each test. Call it once in a file. */
export function raftdGround(): RaftdGround {
	const ground = new RaftdGround();
	beforeEach(() => ground.open());
	afterEach(() => ground.close());
	return ground;
}

export class RaftdGround {
	directory = "";
	#running: Raftd[] = [];

	open(): void {
		this.directory = mkdtempSync(join(tmpdir(), "raftd-"));
	}

	async close(): Promise<void> {
		await Promise.all(this.#running.map((raftd) => raftd.destroy()));
		this.#running = [];
		rmSync(this.directory, { recursive: true, force: true });
	}

	start(node: NodeFile, ...flags: string[]): Raftd {
		const raftd = new Raftd(["--config", node.path, ...flags]);
		this.#running.push(raftd);
		return raftd;
	}

	async startReady(node: NodeFile, ...flags: string[]): Promise<Raftd> {
		return this.#ready(this.start(node, ...flags), node);
	}

	/** The same with another raftd than the one that was built, by its path. */
	async startReadyFrom(program: string, node: NodeFile): Promise<Raftd> {
		const raftd = new Raftd(["--config", node.path], {}, program);
		this.#running.push(raftd);
		return this.#ready(raftd, node);
	}

	async #ready(raftd: Raftd, node: NodeFile): Promise<Raftd> {
		await raftd.until(async () => (await probe(node, "/readyz")) === 200);
		return raftd;
	}

	/** The configuration of a cluster of one. */
	async single(changes: Record<string, unknown> = {}): Promise<NodeFile> {
		const [node] = await writeCluster(this.directory, ["n1"], changes);
		if (node === undefined) throw new Error("no node was written");
		return node;
	}
}
